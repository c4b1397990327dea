import { Outcomes } from './outcomes.ts';
import { exchange, PodHttpAgent, parseUrls } from './pod-http.ts';
import { type Program, untilStopped } from './program-context.ts';

/**
 * Sends METHOD (GET) requests to the addresses in URL in turn, RATE (5) a second whether or not answers come, at most
 * CONCURRENCY (50) at a time. KEEP_ALIVE (true) keeps connections. HEADERS are "name: value" lines.
 */
export const load: Program = async (context) => {
  const urls = parseUrls('URL', context.text('URL'));
  const rate = context.number('RATE', 5, 0.01, 10_000);
  const method = context.text('METHOD', 'GET');
  const concurrency = context.number('CONCURRENCY', 50, 1, 1_000);
  const timeoutMs = context.number('TIMEOUT_MS', 10_000, 1, 600_000);
  const agent = new PodHttpAgent(context, context.flag('KEEP_ALIVE', true));
  const headers = parseHeaders(context.text('HEADERS', ''));
  const outcomes = new Outcomes(context);
  let running = 0;
  let turn = 0;
  const send = (): void => {
    if (running >= concurrency) {
      outcomes.failed(`${concurrency} requests are waiting for their answers`);
      return;
    }
    running++;
    const url = urls[turn++ % urls.length]!;
    exchange(agent, { method, url, headers, timeoutMs })
      .then(
        (status) => (status < 400 ? outcomes.ok() : outcomes.failed(`status ${status}`)),
        (error: Error) => outcomes.failed(error.message),
      )
      .finally(() => running--);
  };
  context.started();
  // Timers are at best a millisecond apart: a quick rate sends several at a time.
  const interval = Math.max(5, 1000 / rate);
  let owed = 0;
  let last = performance.now();
  context.every(interval, () => {
    const now = performance.now();
    owed = Math.min(rate, owed + ((now - last) * rate) / 1000);
    last = now;
    for (; owed >= 0.999; owed--) send();
  });
  return untilStopped(context);
};

function parseHeaders(text: string): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const line of text.split('\n').filter((candidate) => candidate.trim() !== '')) {
    const colon = line.indexOf(':');
    if (colon < 1) throw new Error(`HEADERS holds "${line}"; expected name: value`);
    headers[line.slice(0, colon).trim()] = line.slice(colon + 1).trim();
  }
  return headers;
}
