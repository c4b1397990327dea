/** A part of the URL that makes no sense; it is ignored and said. */
export interface UrlProblem {
  readonly parameter: string;
  readonly value: string;
  readonly message: string;
}
