import { type Redaction, redaction } from '#core/redaction/redaction.ts';
import { listOf, text } from '#runtime/settings/parsers.ts';
import { type Setting, setting } from '#runtime/settings/setting.ts';

/** What of layer 7 is told although it may be a credential. */
export interface RedactionFlags {
  /** False with `--no-redact`. */
  redact: boolean;
  redactAllowHeader: string[];
  redactAllowQuery: string[];
}

export function redactionSettings(): Setting<never>[] {
  return [
    ...redactionAllowSettings(),
    setting<boolean>({
      flags: '--no-redact',
      description: 'show layer 7 as it comes, with credentials',
      environment: false,
    }),
  ];
}

/** For who keeps layer 7 for others: values are let through by name only. */
export function redactionAllowSettings(): Setting<never>[] {
  const names = (flags: string, description: string) =>
    setting<string[]>({ flags, description, parser: listOf(text), default: [], defaultText: 'none' });
  return [
    names('--redact-allow-header <names>', 'HTTP headers whose values are shown although they may be credentials'),
    names('--redact-allow-query <names>', 'parameters of URLs whose values are shown'),
  ];
}

/** Undefined where everything is told. */
export function redactionOf({ redact, redactAllowHeader, redactAllowQuery }: RedactionFlags): Redaction | undefined {
  return redact ? redaction({ headers: redactAllowHeader, query: redactAllowQuery }) : undefined;
}
