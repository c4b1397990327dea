import { type Logger, pino } from 'pino';

export type { Logger } from 'pino';

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

// Standard output belongs to what a command prints (tables, JSON); the log goes to standard error.
const STDERR = 2;

/**
 * A logger named after the part of the program that writes: one JSON object per line, or readable lines on a terminal.
 * The level comes from WAGGLE_LOG_LEVEL (default `info`); a level that does not exist is told once and read as `info`.
 */
export function createLogger(name: string): Logger {
  const asked = process.env.WAGGLE_LOG_LEVEL || 'info';
  const known = LEVELS.includes(asked);
  const logger = pino({ name, level: known ? asked : 'info' }, destination());
  if (!known) logger.warn(`WAGGLE_LOG_LEVEL is "${asked}"; one of ${LEVELS.join(', ')} is accepted`);
  return logger;
}

let shared: ReturnType<typeof pino.destination> | ReturnType<typeof pino.transport> | undefined;

function destination() {
  shared ??= process.stderr.isTTY
    ? pino.transport({
        target: 'pino-pretty',
        options: { destination: STDERR, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss.l' },
      })
    : pino.destination({ dest: STDERR, sync: true });
  return shared;
}
