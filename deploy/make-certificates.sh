#!/bin/sh
# Prints the secrets that agents and backends know each other by, as a manifest. Needs openssl.
#   deploy/make-certificates.sh [namespace] | kubectl apply -f -
# The authority's key is in secret waggle-ca and nowhere else.
set -eu
namespace=${1:-waggle}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
key='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'

secret() { # name certificate key
  cat <<END
---
apiVersion: v1
kind: Secret
type: kubernetes.io/tls
metadata:
  name: $1
  namespace: $namespace
  labels: { app.kubernetes.io/part-of: waggle }
data:
  ca.crt: $(base64 -w0 ca.crt)
  tls.crt: $(base64 -w0 "$2")
  tls.key: $(base64 -w0 "$3")
END
}

openssl req -x509 $key -days 3650 -subj /CN=waggle-ca -keyout ca.key -out ca.crt 2>&1 >/dev/null | cat >&2
secret waggle-ca ca.crt ca.key
for part in agent backend; do
  host=$part.$namespace.waggle.internal
  printf 'subjectAltName=DNS:%s\nextendedKeyUsage=serverAuth,clientAuth\n' "$host" > extensions
  openssl req $key -subj "/CN=$host" -keyout $part.key -out request 2>/dev/null
  openssl x509 -req -in request -CA ca.crt -CAkey ca.key -CAcreateserial -extfile extensions -days 365 -out $part.crt 2>/dev/null
  secret waggle-$part-tls $part.crt $part.key
done
