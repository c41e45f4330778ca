#!/usr/bin/env bash
# Installs the real peers of the tests: packages from Debian, the OpenTelemetry Collector, Prometheus and the linter of Grafana's
# dashboards from Go modules, Python packages into an environment of their own. Quick when all is there; otherwise it ends with the name of what is missing. What is built is
# kept outside the checkout.
set -euo pipefail
cd "$(dirname "$0")"

# A package of Debian, and a file that it brings. squid-openssl is squid that can open TLS: it takes the place of the package
# squid, which lacks this file.
debian='
squid-openssl /usr/lib/squid/security_file_certgen
tinyproxy-bin /usr/bin/tinyproxy
dante-server /usr/sbin/danted
prometheus /usr/bin/promtool
prometheus-alertmanager /usr/bin/prometheus-alertmanager
iproute2 /sbin/ip
snmp /usr/bin/snmptrap
snmpd /usr/sbin/snmpd
snmptrapd /usr/sbin/snmptrapd
openipmi /usr/bin/ipmi_sim
ipmitool /usr/bin/ipmitool
smartmontools /usr/sbin/smartctl
sqlite3 /usr/bin/sqlite3
chromium /usr/bin/chromium
fonts-dejavu-core /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf
'
peers=${CALLHOME_PEERS:-$HOME/.cache/callhome-bridge/peers}
collector=$peers/otelcol-$(sha256sum collector.yaml | cut -c 1-12)
python=$peers/python-$(sha256sum requirements.txt | cut -c 1-12)
prometheus_version=$(cat prometheus.version)
prometheus=$peers/prometheus-$prometheus_version
linter_version=$(cat dashboard-linter.version)
linter=$peers/dashboard-linter-$linter_version
builder=go.opentelemetry.io/collector/cmd/builder@v0.159.0 # the release of the components in collector.yaml
no_services=/usr/sbin/policy-rc.d
PATH=$PATH:/usr/local/go/bin

missing() {
	tail -n 40 "$log" >&2
	echo "peers: $1 is missing: $2" >&2
	exit 1
}

logged() {
	"$@" >>"$log" 2>&1 </dev/null
}

install_packages() {
	local wanted=() package file
	while read -r package file; do
		[[ -z $package || -e $file ]] || wanted+=("$package")
	done <<<"$debian"
	[[ ${#wanted[@]} -eq 0 ]] && return
	command -v apt-get >/dev/null || missing "${wanted[*]}" "this is not Debian: install it by other means"
	[[ $(id -u) -eq 0 ]] || missing "${wanted[*]}" "install it with apt-get, or run this script as root"
	echo "peers: installing ${wanted[*]}"
	# Each test starts its own: no package is to start a service here.
	[[ -e $no_services ]] || { printf '#!/bin/sh\nexit 101\n' >"$no_services" && chmod +x "$no_services" && made=$no_services; }
	export DEBIAN_FRONTEND=noninteractive
	# The package lists of a fresh machine are absent or old: fetched only when it does not do without.
	logged apt-get install -y --no-install-recommends "${wanted[@]}" ||
		{ logged apt-get update && logged apt-get install -y --no-install-recommends "${wanted[@]}"; } ||
		missing "${wanted[*]}" "apt-get could not install it"
}

build_collector() {
	[[ -x $collector ]] && return
	command -v go >/dev/null || missing otelcol "Go 1.26 or newer builds it, and there is no go"
	echo "peers: building the OpenTelemetry Collector, some minutes the first time"
	GOBIN=$work logged go install "$builder" || missing otelcol "its builder could not be installed"
	cp collector.yaml "$work"
	(cd "$work" && logged ./builder --config collector.yaml) || missing otelcol "its builder failed"
	# Under its final name only when it is whole: two installations may run side by side.
	mkdir -p "$peers"
	cp "$work/build/otelcol" "$collector.$$"
	mv "$collector.$$" "$collector"
}

# Debian's Prometheus is 2.42, for the widest reach of the rules. This newer one takes OTLP, too. Its module replaces parts of
# itself, so go install refuses it; as a tool of another module it is built. Its discovery of clouds is left out.
build_prometheus() {
	[[ -x $prometheus/promtool ]] && return
	command -v go >/dev/null || missing prometheus3 "Go 1.26 or newer builds it, and there is no go"
	echo "peers: building Prometheus $prometheus_version, some minutes the first time"
	mkdir "$work/prometheus"
	(
		cd "$work/prometheus"
		commands=github.com/prometheus/prometheus/cmd
		logged go mod init peers
		logged go get -tool "$commands/prometheus@$prometheus_version" "$commands/promtool@$prometheus_version"
		logged go build -tags remove_all_sd,netgo -o built/ "$commands/prometheus" "$commands/promtool"
	) || missing prometheus3 "it could not be built"
	mkdir -p "$peers"
	cp -r "$work/prometheus/built" "$prometheus.$$"
	# The first installation to end is used.
	mv -T "$prometheus.$$" "$prometheus" 2>>"$log" || rm -rf "$prometheus.$$"
}

# Its rules for PromQL and for the boards themselves. Those for LogQL, and its reader of the newest kind of board, would bring
# the whole of Loki and Grafana with them, and are left out.
build_linter() {
	[[ -x $linter ]] && return
	command -v go >/dev/null || missing dashboard-linter "Go 1.26 or newer builds it, and there is no go"
	echo "peers: building the linter of dashboards, a minute or two the first time"
	local module=github.com/grafana/dashboard-linter
	mkdir "$work/linter"
	(
		cd "$work/linter"
		logged go mod init peers
		logged go mod download "$module@$linter_version"
		cp -r --no-preserve=mode "$(go env GOMODCACHE)/$module@$linter_version" source
		cd source
		rm lint/v2.go lint/rule_target_logql*.go
		sed -i '/TargetLogQL/d' lint/rules.go
		sed -i '/isV2APIVersion/,/^\t\t}/d' lint/lint.go
		logged go mod edit -droprequire github.com/grafana/loki/v3 -droprequire github.com/grafana/grafana/apps/dashboard
		logged go build -mod=mod -o ../built .
	) || missing dashboard-linter "it could not be built"
	mkdir -p "$peers"
	cp "$work/linter/built" "$linter.$$"
	mv "$linter.$$" "$linter"
}

make_python() {
	[[ -x $python/bin/python ]] && return
	command -v python3 >/dev/null || missing python "Python 3.11 or newer runs some of the peers, and there is no python3"
	echo "peers: installing Python packages"
	logged python3 -m venv "$python.$$" || missing python "python3 -m venv failed (Debian: python3-venv)"
	logged "$python.$$/bin/python" -m pip install --no-input -r requirements.txt || missing "requirements.txt" "pip failed"
	# A link, for an environment knows its own path and cannot be moved. The first installation to end is used.
	ln -sfn "$python.$$" "$python"
}

work=$(mktemp -d)
log=$work/log
made=
touch "$log"
trap 'rm -rf "$work" $made' EXIT
install_packages
make_python
build_collector
build_prometheus
build_linter
echo "peers: all there"
