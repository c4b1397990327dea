// A probe for a pod whose page listens on loopback alone: node probe.mjs http://127.0.0.1:12000/readyz
const url = process.argv[2];
const response = await fetch(url, { signal: AbortSignal.timeout(4_000) }).catch((error) => error);
if (response.ok !== true) {
  console.error(`${url}: ${response.status ?? response.cause?.code ?? response.message}`);
  process.exitCode = 1;
}
