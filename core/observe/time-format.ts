import type { Timestamp } from '@bufbuild/protobuf/wkt';

/** How `hubble observe` can write times, by its names. All in UTC, whatever the machine's time zone. */
export const TIME_FORMATS = [
  'StampMilli',
  'YearMonthDay',
  'YearMonthDayHour',
  'YearMonthDayHourMinute',
  'RFC3339',
  'RFC3339Milli',
  'RFC3339Micro',
  'RFC3339Nano',
  'RFC1123Z',
] as const;
export type TimeFormat = (typeof TIME_FORMATS)[number];

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/** `Nov 21 09:26:56.123`, or in another form. What is finer than the form is cut off, not rounded. */
export function timeText({ seconds, nanos }: Pick<Timestamp, 'seconds' | 'nanos'>, format: TimeFormat): string {
  const at = new Date(Number(seconds) * 1_000);
  const iso = at.toISOString();
  const [day, clock] = [iso.slice(0, 10), iso.slice(11, 19)];
  switch (format) {
    case 'StampMilli': {
      const milli = String(Math.floor(nanos / 1e6)).padStart(3, '0');
      return `${MONTHS[at.getUTCMonth()]} ${String(at.getUTCDate()).padStart(2, ' ')} ${clock}.${milli}`;
    }
    case 'YearMonthDay':
      return day;
    case 'YearMonthDayHour':
      return `${day}T${clock.slice(0, 2)}Z`;
    case 'YearMonthDayHourMinute':
      return `${day}T${clock.slice(0, 5)}Z`;
    case 'RFC3339':
      return `${day}T${clock}Z`;
    case 'RFC3339Milli':
      return `${day}T${clock}${fraction(nanos, 3)}Z`;
    case 'RFC3339Micro':
      return `${day}T${clock}${fraction(nanos, 6)}Z`;
    case 'RFC3339Nano':
      return `${day}T${clock}${fraction(nanos, 9)}Z`;
    case 'RFC1123Z': {
      const date = `${String(at.getUTCDate()).padStart(2, '0')} ${MONTHS[at.getUTCMonth()]} ${at.getUTCFullYear()}`;
      return `${DAYS[at.getUTCDay()]}, ${date} ${clock} +0000`;
    }
  }
}

/** With its dot and without zeros at the end; nothing where it is nothing. */
function fraction(nanos: number, digits: number): string {
  const text = String(nanos).padStart(9, '0').slice(0, digits).replace(/0+$/, '');
  return text === '' ? '' : `.${text}`;
}
