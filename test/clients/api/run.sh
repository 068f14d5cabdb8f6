#!/usr/bin/env bash
# The provisioning API of a local cloud: Schemathesis by its OpenAPI document, and the published Go SDK with another base URL.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../cloud.sh"

python3 -m venv "$WORK/venv" && "$WORK/venv/bin/pip" install -q -r "$here/requirements.txt" ||
  { echo "0 passed, 1 failed"; exit 1; }

start_cloud
API=$(ready_field api)
KEY_ID=$(node -p "JSON.parse(require('fs').readFileSync('$WORK/ready.json','utf8')).apiKey.id")
KEY_SECRET=$(node -p "JSON.parse(require('fs').readFileSync('$WORK/ready.json','utf8')).apiKey.secret")

schemathesis() { # the limit of requests is below what the API lets one key do
  (cd "$WORK" && timeout 500 "$WORK/venv/bin/schemathesis" --config-file "$here/schemathesis.toml" run \
    "$PROJECT/docs/openapi.json" -u "$API" -a "$KEY_ID:$KEY_SECRET" --checks all --max-examples 25 \
    --rate-limit 40/s --suppress-health-check all --seed 1 --no-color)
}
check "Schemathesis finds nothing" schemathesis

# A registry may not serve the SDK: then there is nothing to try.
if command -v go >/dev/null && (cd "$here/sdk" && timeout 200 go mod download >"$WORK/download.log" 2>&1); then
  sdk() {
    (cd "$here/sdk" && timeout 400 go build -mod=mod -o "$WORK/sdk-suite" .) &&
      timeout 200 "$WORK/sdk-suite" "$API" "$KEY_ID" "$KEY_SECRET"
  }
  check "ccloud-sdk-go-v2: create, list in pages, get, update, delete" sdk
else
  echo "skip  ccloud-sdk-go-v2: its modules cannot be downloaded here"
fi
finish
