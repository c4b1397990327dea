const DEADLINE_MS = 10_000;
const MOST_ANSWER_BYTES = 65_536;

/**
 * An OpenTelemetry collector that takes OTLP over HTTP, in its JSON form. User and password of its URL go into the
 * Authorization header and nowhere else: not into messages, nor logs.
 */
export class OtlpCollector {
  /** Without user and password. */
  readonly #url: URL;
  readonly #headers: Record<string, string> = { 'content-type': 'application/json' };

  /** @param kind what is sent: the last part of the path */
  constructor(endpoint: URL, kind: 'logs' | 'metrics') {
    this.#url = new URL(`${endpoint.pathname.replace(/\/$/, '')}/v1/${kind}`, endpoint);
    const { username, password } = this.#url;
    if (username === '' && password === '') return;
    const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    this.#headers.authorization = `Basic ${Buffer.from(pair).toString('base64')}`;
    this.#url.username = '';
    this.#url.password = '';
  }

  /**
   * @returns how many logs or metrics it refuses for what they are, and would again: 0, some of them, or Infinity for all
   * @throws where a later try may do better
   */
  async send(message: object): Promise<number> {
    const answer = await fetch(this.#url, {
      method: 'POST',
      headers: this.#headers,
      body: JSON.stringify(message),
      // What is sent elsewhere may arrive as a GET without any of it.
      redirect: 'manual',
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    const { status } = answer;
    const text = await readStart(answer);
    if (status === 429 || status >= 500) throw new Error(`${this} answers ${status}`);
    if (status >= 300 && status < 400) throw new Error(`${this} answers ${status}: it is somewhere else`);
    return answer.ok ? rejected(text) : Number.POSITIVE_INFINITY;
  }

  /** Its address, without what a query may hold. */
  toString(): string {
    return `${this.#url.origin}${this.#url.pathname}`;
  }
}

/** The beginning of an answer; the rest is not wanted. */
async function readStart({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > MOST_ANSWER_BYTES) break;
  }
  return Buffer.concat(chunks).toString();
}

/** Of a partial success. */
function rejected(answer: string): number {
  try {
    const { partialSuccess } = JSON.parse(answer) as { partialSuccess?: Record<string, unknown> };
    const count = Number(partialSuccess?.rejectedLogRecords ?? partialSuccess?.rejectedDataPoints ?? 0);
    return Number.isFinite(count) ? Math.max(0, count) : 0;
  } catch {
    // Taken, and said in some other form.
    return 0;
  }
}
