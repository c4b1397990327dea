/**
 * The API server refused a request, or gave no answer. The message names the request and says what to do where that is known.
 */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** HTTP status; 0 = no answer came. */
  readonly status: number;
  /** Kubernetes' word for it, such as `NotFound`, `Forbidden`, `Expired`; empty when it gave none. */
  readonly reason: string;
  /** How long the server asks to be left alone. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, status: number, reason = '', retryAfterMs?: number, cause?: unknown) {
    super(message, { cause });
    this.status = status;
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
  }

  /** What was asked for is no longer known to the server: its history has been compacted. */
  get gone(): boolean {
    return this.status === 410 || this.reason === 'Expired' || this.reason === 'Gone';
  }
}

/** `Status` of the API, as bodies of errors and `ERROR` events of a watch carry it. */
export function statusError(request: string, status: number, body: unknown, retryAfter?: string): ApiError {
  const fields = typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
  const reason = typeof fields.reason === 'string' ? fields.reason : '';
  const said = typeof fields.message === 'string' ? fields.message : typeof body === 'string' ? body : '';
  const seconds = Number(retryAfter);
  return new ApiError(
    `${request}: ${said.trim().slice(0, 500) || reason || 'refused'} (${status})${advice(status, said)}`,
    status,
    reason,
    retryAfter !== undefined && Number.isFinite(seconds) ? Math.max(0, seconds * 1_000) : undefined,
  );
}

function advice(status: number, said: string): string {
  if (status === 401) return '; the token or certificate is not accepted: renew it';
  if (status === 403 && !said.includes('being terminated'))
    return "; no role allows it (those of Waggle's own accounts are in deploy/helm/waggle)";
  return '';
}

/** No answer: refused, reset, not found, not trusted. */
export function connectionError(server: string, cause: unknown): ApiError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const why = code !== undefined && !message.includes(code) ? `${message} (${code})` : message || String(code ?? cause);
  return new ApiError(`API server ${server} gives no answer: ${why}`, 0, '', undefined, cause);
}
