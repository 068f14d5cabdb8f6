#!/usr/bin/env bash
# cfn-lint on the synthesized templates of the example fleets; one template is one check. Findings that are meant to be so
# are in cfn-lint.yaml, each with its reason. Needs python3 with venv, and Node on PATH.
set -u
cd "$(dirname "$0")/../../.." || exit 1
here=test/infra/cfn-lint
work=$(mktemp -d "${TMPDIR:-/tmp}/balafon-cfn-lint-XXXXXX")
trap 'rm -rf "$work"' EXIT

give_up() {
  echo "$1"
  echo "0 passed, 1 failed"
  exit 1
}

python3 -m venv "$work/venv" && "$work/venv/bin/pip" install -q cfn-lint==1.58.0 || give_up "cfn-lint could not be installed"
for fleet in test production; do
  npx --no-install cdk synth --quiet --output "$work/$fleet" -c "fleet=infra/fleets/$fleet.json" >"$work/synth.log" 2>&1 || {
    tail -40 "$work/synth.log"
    give_up "the fleet $fleet does not synthesize"
  }
done

"$work/venv/bin/cfn-lint" --config-file "$here/cfn-lint.yaml" --format json --output-file "$work/findings.json" \
  "$work"/*/*.template.json >"$work/lint.log" 2>&1
code=$?
# 0: nothing. 2, 4, 8 and their sums: errors, warnings, notes. Anything else: it did not run.
if [ "$code" -ne 0 ] && [ $((code & ~14)) -ne 0 ] || [ ! -s "$work/findings.json" ]; then
  cat "$work/lint.log"
  give_up "cfn-lint did not run (exit code $code)"
fi
node -e '
  const [findingsFile, ...templates] = process.argv.slice(1);
  const findings = JSON.parse(require("node:fs").readFileSync(findingsFile, "utf8"));
  for (const { Rule, Message, Filename, Location } of findings)
    console.log(`${Filename}:${Location.Start.LineNumber} ${Rule.Id} ${Message}`);
  const failed = new Set(findings.map(({ Filename }) => Filename)).size;
  console.log(`${templates.length - failed} passed, ${failed} failed`);
  process.exit(failed === 0 ? 0 : 1);' "$work/findings.json" "$work"/*/*.template.json
