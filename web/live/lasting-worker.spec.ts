import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { READY } from '../worker/ready.ts';
import { LastingWorker } from './lasting-worker.ts';

interface Attempt {
  readonly sent: string[];
  closed: boolean;
  hear(message: string): void;
  failed(): void;
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function start() {
  const attempts: Attempt[] = [];
  const heard: string[] = [];
  const worker = new LastingWorker<string, string>(
    (ears) => {
      const attempt: Attempt = { sent: [], closed: false, ...ears };
      attempts.push(attempt);
      return {
        postMessage: (message) => attempt.sent.push(message),
        close: () => {
          attempt.closed = true;
        },
      };
    },
    (message) => heard.push(message),
    (message) => (message.startsWith('rows') ? 'rows' : undefined),
  );
  return { attempts, heard, worker };
}

const port = () => new MessageChannel().port1;

test('what is sent goes out at once; what is handed over waits until the worker runs', () => {
  const { attempts, heard, worker } = start();
  worker.post('open');
  worker.post('port', [port()]);
  worker.post('rows');
  expect(attempts[0].sent).toEqual(['open', 'rows']);
  attempts[0].hear(READY);
  attempts[0].hear('hello');
  worker.post('second port', [port()]);
  expect(attempts[0].sent).toEqual(['open', 'rows', 'port', 'second port']);
  expect(heard).toEqual(['hello']);
});

test('a script that cannot be fetched is asked for again, less and less often, and then told everything', () => {
  const { attempts, worker } = start();
  worker.post('open');
  worker.post('port', [port()]);
  let waited = 0;
  for (const wait of [500, 1_000, 2_000, 4_000, 5_000, 5_000]) {
    const made = attempts.length;
    attempts[made - 1].failed();
    attempts[made - 1].failed();
    vi.advanceTimersByTime(wait - 1);
    expect(attempts).toHaveLength(made);
    vi.advanceTimersByTime(1);
    expect(attempts).toHaveLength(made + 1);
    waited += wait;
  }
  expect(waited).toBe(17_500);
  worker.post('rows');
  const last = attempts.at(-1)!;
  last.hear(READY);
  expect(last.sent).toEqual(['open', 'rows', 'port']);
});

test('of what replaces what was said before only the last is kept', () => {
  const { attempts, worker } = start();
  worker.post('open');
  for (let row = 0; row < 1_000; row++) worker.post(`rows ${row}`);
  worker.post('question');
  worker.post('question');
  attempts[0].failed();
  vi.advanceTimersByTime(500);
  expect(attempts[1].sent).toEqual(['open', 'rows 999', 'question', 'question']);
  attempts[1].hear(READY);
  worker.post('rows 1');
  worker.post('rows 2');
  expect(attempts[1].sent.slice(4)).toEqual(['rows 1', 'rows 2']);
});

test('one that is lost without a word is given up, and not listened to after that', () => {
  const { attempts, heard, worker } = start();
  worker.post('open');
  vi.advanceTimersByTime(10_500);
  expect(attempts[0].closed).toBe(true);
  expect(attempts[1].sent).toEqual(['open']);
  attempts[0].hear(READY);
  attempts[0].hear('late');
  vi.advanceTimersByTime(19_000);
  expect(attempts).toHaveLength(2);
  attempts[1].hear(READY);
  attempts[1].hear('hello');
  vi.advanceTimersByTime(600_000);
  expect(attempts).toHaveLength(2);
  expect(heard).toEqual(['hello']);
});

test('one in place of another is told what it is told from then on', () => {
  const { attempts, worker } = start();
  worker.post('open');
  attempts[0].hear(READY);
  worker.restart();
  expect(attempts[0].closed).toBe(true);
  worker.post('port', [port()]);
  worker.post('open again');
  expect(attempts[1].sent).toEqual(['open again']);
  attempts[1].hear(READY);
  expect(attempts[1].sent).toEqual(['open again', 'port']);
});

test('a worker that has run is not started again', () => {
  const { attempts } = start();
  attempts[0].hear(READY);
  attempts[0].failed();
  vi.advanceTimersByTime(60_000);
  expect(attempts).toHaveLength(1);
});
