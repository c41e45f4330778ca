#!/bin/sh
# Runs a program in a root directory of its own, within the mount namespace that it is started in: what the image of a container
# brings is this system's /usr and one file, and what is mounted into the container is mounted here.
# ROOT, HOSTS (a file), USER_ID, DIRECTORY (to run in), PROGRAM (the file) and IMAGE_PROGRAM (its path in the container) are in the
# environment. MOUNTS has lines "FILE PATH ro|rw", TMPFS lines "PATH OPTIONS". The arguments are those of the program.
set -eu
mount -t tmpfs tmpfs "$ROOT"
for part in usr bin sbin lib lib64; do
	if [ -L "/$part" ]; then
		cp -d "/$part" "$ROOT/$part"
	elif [ -d "/$part" ]; then
		mkdir "$ROOT/$part"
		mount --rbind "/$part" "$ROOT/$part"
	fi
done
mkdir -p "$ROOT/proc" "$ROOT/dev" "$ROOT/tmp" "$ROOT/etc/ssl"
chmod 1777 "$ROOT/tmp"
mount --rbind /proc "$ROOT/proc"
mount --rbind /dev "$ROOT/dev"
mount --rbind /etc/ssl "$ROOT/etc/ssl"
cp /etc/nsswitch.conf /etc/passwd /etc/group "$ROOT/etc"
cp "$HOSTS" "$ROOT/etc/hosts"

# FILE PATH MODE
bind() {
	if [ -d "$1" ]; then
		mkdir -p "$ROOT$2"
	else
		mkdir -p "$(dirname "$ROOT$2")"
		[ -e "$ROOT$2" ] || : >"$ROOT$2"
	fi
	mount --bind "$1" "$ROOT$2"
	[ "$3" != ro ] || mount -o remount,bind,ro "$ROOT$2"
}

bind "$PROGRAM" "$IMAGE_PROGRAM" ro
printf '%s\n' "$MOUNTS" | while read -r file path mode; do
	[ -z "$path" ] || bind "$file" "$path" "$mode"
done
printf '%s\n' "$TMPFS" | while read -r path options; do
	[ -z "$path" ] || { mkdir -p "$ROOT$path" && mount -t tmpfs -o "$options" tmpfs "$ROOT$path"; }
done
exec chroot "$ROOT" setpriv --reuid "$USER_ID" --regid "$USER_ID" --clear-groups \
	sh -c 'cd "$0" && exec "$@"' "$DIRECTORY" "$IMAGE_PROGRAM" "$@"
