"""Verifies an exported ledger with nothing of the bridge's: python3 verify-ledger.py FILE. Prints what it found."""
import hashlib
import json
import sys

with open(sys.argv[1], encoding='utf-8') as file:
    previous = json.loads(next(file))['anchor']['hash']
    entries = 0
    for line in map(json.loads, file):
        if 'entry' not in line:
            sys.exit(0 if line['head']['hash'] == previous and print(entries, previous) is None else 'the end is another')
        if hashlib.sha256(f"{previous}\n{line['entry']}".encode()).hexdigest() != line['hash']:
            sys.exit(f"hash of {line['entry']}")
        entry = json.loads(line['entry'])
        if 'text' in line and hashlib.sha256(line['text'].encode()).hexdigest() != entry['text_sha256']:
            sys.exit(f"text of {entry['sequence']}")
        previous = line['hash']
        entries += 1
    sys.exit('the file was cut')
