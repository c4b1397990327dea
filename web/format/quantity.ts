/** Numbers as people read them at a glance: at most three digits that mean something, so that nothing jumps in width. */

/** A rate per second: `0.4/s`, `142/s`, `12.3k/s`. */
export function formatRate(perSecond: number): string {
  return `${formatCount(perSecond)}/s`;
}

export function formatCount(value: number): string {
  if (!(value > 0)) return '0';
  if (value < 0.1) return '<0.1';
  if (value < 9.95) return trimmed(value.toFixed(1));
  if (value < 999.5) return value.toFixed(0);
  if (value < 999_500) return `${threeDigits(value / 1e3)}k`;
  if (value < 999_500_000) return `${threeDigits(value / 1e6)}M`;
  return `${threeDigits(value / 1e9)}G`;
}

/** Bytes in decimal units: `940 B`, `1.2 kB`, `48 MB`. */
export function formatBytes(bytes: number): string {
  if (!(bytes > 0)) return '0 B';
  if (bytes < 999.5) return `${bytes < 9.95 ? trimmed(bytes.toFixed(1)) : bytes.toFixed(0)} B`;
  if (bytes < 999_500) return `${threeDigits(bytes / 1e3)} kB`;
  if (bytes < 999_500_000) return `${threeDigits(bytes / 1e6)} MB`;
  return `${threeDigits(bytes / 1e9)} GB`;
}

/** Bytes per second: `1.2 kB/s`; a dash where flows come and nobody tells their bytes, as from somebody else's Hubble. */
export function formatByteRate(bytes: number, flows: number): string {
  return bytes === 0 && flows > 0 ? '–' : `${formatBytes(bytes)}/s`;
}

/** Microseconds: `84 µs`, `0.8 ms`, `31 ms`, `1.2 s`; a dash where it is not known (0). */
export function formatMicros(micros: number): string {
  if (!(micros > 0)) return '–';
  if (micros < 100) return `${micros.toFixed(0)} µs`;
  if (micros < 9_950) return `${(micros / 1000).toFixed(1)} ms`;
  if (micros < 999_500) return `${(micros / 1000).toFixed(0)} ms`;
  return `${(micros / 1e6).toFixed(1)} s`;
}

/** A share between 0 and 1: `100%`, `99.8%`, `38%`. Only all is 100 and only none is 0. */
export function formatShare(share: number): string {
  if (share >= 1) return '100%';
  if (share <= 0) return '0%';
  const percent = share * 100;
  if (percent > 99.9) return '99.9%';
  return percent >= 90 ? `${trimmed(percent.toFixed(1))}%` : percent < 1 ? '<1%' : `${percent.toFixed(0)}%`;
}

function threeDigits(value: number): string {
  return value < 9.95 ? trimmed(value.toFixed(1)) : value.toFixed(0);
}

function trimmed(text: string): string {
  return text.endsWith('.0') ? text.slice(0, -2) : text;
}
