/** What the page of Services shows. Part of the URL. */
export interface ServiceOptions {
  /** `namespace/name`; null = none chosen. */
  readonly service: string | null;
}

export const DEFAULT_SERVICE_OPTIONS: ServiceOptions = { service: null };

const MOST_TEXT = 400;

/** Reads `?service=`. */
export function readServiceOptions(parameters: URLSearchParams): ServiceOptions {
  return { service: parameters.get('service')?.slice(0, MOST_TEXT) || null };
}

export function printServiceOptions(options: ServiceOptions, add: (parameter: string, value: string) => void): void {
  if (options.service !== null) add('service', options.service);
}
