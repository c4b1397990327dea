import { formatAgo, formatClock, formatMoment } from '../format/time.ts';
import { secondStore } from '../live/second.ts';
import { clockAheadStore } from '../live/server-clock.ts';
import { useStore } from '../live/store.ts';
import { settingsStore } from '../view/settings.ts';

/** A point in time (milliseconds since 1970, by the server's clock), of day or how long ago, as a person has chosen. */
export function Moment({ ms }: { ms: number }) {
  const { time } = useStore(settingsStore);
  return (
    <time dateTime={new Date(ms).toISOString()} title={formatMoment(ms)}>
      {time === 'relative' ? <Ago ms={ms} /> : formatClock(ms)}
    </time>
  );
}

function Ago({ ms }: { ms: number }) {
  return formatAgo(ms, useStore(secondStore) + useStore(clockAheadStore), 1);
}
