const DEADLINE_MS = 10_000;

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
   * @returns whether it was taken; false when it is refused for what it is, and would be again
   * @throws where a later try may do better
   */
  async send(message: object): Promise<boolean> {
    const answer = await fetch(this.#url, {
      method: 'POST',
      headers: this.#headers,
      body: JSON.stringify(message),
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    await answer.arrayBuffer();
    if (answer.status === 429 || answer.status >= 500) throw new Error(`${this} answers ${answer.status}`);
    return answer.ok;
  }

  /** Its address, without what a query may hold. */
  toString(): string {
    return `${this.#url.origin}${this.#url.pathname}`;
  }
}
