import { untranslatedText } from '#core/service/untranslated-text.ts';
import type { ListServicesResponse } from '#proto/gen/waggle/v1/service_pb.ts';

/** Sockets told one by one. */
const MOST_TOLD = 10;

/** Sockets that were connected to Services before Waggle came; nothing where there are none. */
export function untranslatedNote({ untranslated, untranslatedTotal }: ListServicesResponse): string[] {
  if (untranslated.length === 0) return [];
  const told = untranslated.slice(0, MOST_TOLD);
  const more = Math.max(untranslatedTotal, untranslated.length) - told.length;
  return [
    'Connected to Services before Waggle came, so not through it; they will be when they connect again:',
    ...told.map((socket) => `  ${untranslatedText(socket)}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ];
}
