#!/usr/bin/env bash
# `promtool test rules` with an `alert_rule_test` whose `alertname` stands in none of the rule files finds no
# such alert firing. Where the test expects none (`exp_alerts: []`, the usual way to say that a rule stays
# quiet), it passes. So all tests that an alert does not fire go on passing when it is renamed or deleted, and
# one with a slip in the name never tested anything; `promtool check rules` does not read tests.
#
# Seen with Debian's prometheus 2.42.0+ds-5+deb12u1 (bookworm). Exit 0 while that is so, 1 once it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get -qq download prometheus=2.42.0+ds-5+deb12u1 2> apt.txt || { cat apt.txt; exit 1; }
dpkg-deb --extract prometheus_*.deb .
cat > rules.yml <<'YML'
groups:
  - name: letters
    rules:
      - alert: DeadLetters
        expr: increase(dead_letters_total[5m]) > 0
YML
tests() {
    cat <<YML
rule_files: [rules.yml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - series: dead_letters_total
        values: 0 0 1 1 1
    alert_rule_test:
      - {eval_time: 4m, alertname: $1, exp_alerts: []}
YML
}
verdict() { usr/bin/promtool test rules "$1" > out.txt 2>&1 && echo passes || echo fails; }
tests DeadLetters > right.yml
tests DeadLetter > slip.yml
usr/bin/promtool --version | head -n 1
echo "expected: a test that names no alert of the rules is refused"
right=$(verdict right.yml)
slip=$(verdict slip.yml)
echo "seen: \"DeadLetters does not fire\" $right, for it fires; \"DeadLetter does not fire\" $slip"
if [ "$right $slip" = "fails passes" ]; then
    echo "as described"
else
    echo "CHANGED"
    exit 1
fi
