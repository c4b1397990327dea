import type {
  ConnectionState,
  ExportAnswer,
  ExportForm,
  FlowAnswer,
  HiddenCount,
  NamespaceSummary,
  RowsQuery,
  RowsSlice,
  SessionMessage,
  StatusSummary,
  StreamView,
  TabMessage,
} from '../worker/protocol.ts';
import type { Answer, Question } from '../worker/question.ts';
import { type Ears, LastingWorker, type Outlet, onScriptFailure, outletOf } from './lasting-worker.ts';
import { setClockAhead } from './server-clock.ts';
import { createStore } from './store.ts';

/** Where the API is: beside the page, whatever path it is served under. */
const API_BASE = new URL('api/', document.baseURI).href;

export const connectionStore = createStore<ConnectionState>({ phase: 'connecting' });
export const statusStore = createStore<StatusSummary | null>(null);
/** What the filter's negated tokens keep out of the view. */
export const hiddenStore = createStore<readonly HiddenCount[]>([]);
export const rowsStore = createStore<RowsSlice | null>(null);

const calls = new Map<number, { resolve(value: readonly NamespaceSummary[]): void; reject(error: Error): void }>();
const questions = new Map<number, { resolve(answer: never): void; reject(error: Error): void }>();
const descriptions = new Map<number, (answer: FlowAnswer) => void>();
const exports = new Map<number, (answer: ExportAnswer) => void>();
let lastCall = 0;
let worker: LastingWorker<TabMessage, SessionMessage> | undefined;
let opened: TabMessage | undefined;
let rowsWanted: TabMessage | undefined;
/** Looks in a row at which nothing had come since the look before. */
let quietLooks = 0;
/** Counts workers in place of one that was lost: what was handed over to that one is gone. */
export const replacementStore = createStore(0);

const LOOK_MS = 10_000;
/** While there is a stream, or one is waited for, something comes at least every 30 s. */
const MOST_QUIET_LOOKS = 4;

const NAME = 'waggle-session';

/** Starts the session's worker, or joins the one other tabs have started. */
function start(): LastingWorker<TabMessage, SessionMessage> {
  document.addEventListener('visibilitychange', () => send(visibility()));
  addEventListener('online', retryNow);
  addEventListener('pagehide', () => send({ type: 'bye' }));
  addEventListener('pageshow', (event: PageTransitionEvent) => {
    if (event.persisted && opened !== undefined) send(opened);
  });
  setInterval(look, LOOK_MS);
  return new LastingWorker((ears) => startShared(ears) ?? startOwn(ears), receive, latestOf);
}

/** A worker that tabs share may go down with one of them, which the others are not told. */
function look(): void {
  const { phase } = connectionStore.get();
  const expected = document.visibilityState === 'visible' && (phase === 'live' || phase === 'waiting');
  quietLooks = expected ? quietLooks + 1 : 0;
  if (quietLooks < MOST_QUIET_LOOKS) return;
  quietLooks = 0;
  worker?.restart();
  for (const id of [...calls.keys(), ...questions.keys()]) receive({ type: 'failed', id, message: LOST });
  for (const id of descriptions.keys()) receive({ type: 'flow', id, answer: { state: 'failed', message: LOST } });
  for (const id of exports.keys()) receive({ type: 'export', id, answer: { state: 'stopped' } });
  if (opened !== undefined) send(opened);
  send(visibility());
  if (rowsWanted !== undefined) send(rowsWanted);
  replacementStore.set(replacementStore.get() + 1);
}

const LOST = 'The browser has ended what this page was asking through.';

/** What tells how things are replaces what told it before; questions are each for themselves. */
function latestOf({ type }: TabMessage): string | undefined {
  return ['open', 'rows', 'drawn', 'visible', 'retry'].includes(type) ? type : undefined;
}

function visibility(): TabMessage {
  return { type: 'visible', visible: document.visibilityState === 'visible' };
}

/** A worker of this tab alone. */
function startOwn(ears: Ears<SessionMessage>): Outlet<TabMessage> {
  const own = new Worker(new URL('../worker/session-worker.ts', import.meta.url), { type: 'module', name: NAME });
  own.onmessage = (event: MessageEvent<SessionMessage>) => ears.hear(event.data);
  onScriptFailure(own, ears.failed);
  return outletOf(own);
}

/** In a frame of another site the cookies are that frame's alone: a worker that others share is given none. */
function isForeignFrame(): boolean {
  try {
    return window.top !== window && window.top?.location.origin !== location.origin;
  } catch {
    return true;
  }
}

/** Undefined where tabs cannot share a worker: old browsers, and frames without an origin of their own. */
function startShared(ears: Ears<SessionMessage>): Outlet<TabMessage> | undefined {
  if (typeof SharedWorker === 'undefined' || isForeignFrame()) return undefined;
  let shared: SharedWorker;
  try {
    shared = new SharedWorker(new URL('../worker/session-worker.ts', import.meta.url), { type: 'module', name: NAME });
  } catch {
    return undefined;
  }
  shared.port.onmessage = (event: MessageEvent<SessionMessage>) => ears.hear(event.data);
  onScriptFailure(shared, ears.failed);
  const { port } = shared;
  return { postMessage: (message, transfer) => port.postMessage(message, transfer), close: () => port.close() };
}

export function send(message: TabMessage, transfer: Transferable[] = []): void {
  worker ??= start();
  worker.post(message, transfer);
}

export function openView(view: StreamView): void {
  const message: TabMessage = { type: 'open', base: API_BASE, view };
  if (JSON.stringify(message) === JSON.stringify(opened)) return;
  opened = message;
  send(message);
  send(visibility());
}

export function queryRows(query: RowsQuery): void {
  rowsWanted = { type: 'rows', query };
  send(rowsWanted);
}

/** Everything about a flow, by its id. */
export function describeFlow(flow: string): Promise<FlowAnswer> {
  const id = ++lastCall;
  return new Promise((resolve) => {
    descriptions.set(id, resolve);
    send({ type: 'flow', id, flow });
  });
}

/** Writes a table's flows into a file. Returns what cancels it; `hear` is told how it goes. */
export function exportFlows(form: ExportForm, query: RowsQuery, hear: (answer: ExportAnswer) => void): () => void {
  const id = ++lastCall;
  exports.set(id, hear);
  send({ type: 'export', id, form, query });
  return () => send({ type: 'cancel-export', id });
}

export function retryNow(): void {
  send({ type: 'retry' });
}

/** Asks the server. Rejects with an Error in plain words. */
export function ask<Q extends Question>(question: Q): Promise<Answer<Q>> {
  const id = ++lastCall;
  return new Promise((resolve, reject) => {
    questions.set(id, { resolve, reject });
    send({ type: 'ask', id, question });
  });
}

export function listNamespaces(): Promise<readonly NamespaceSummary[]> {
  const id = ++lastCall;
  return new Promise((resolve, reject) => {
    calls.set(id, { resolve, reject });
    send({ type: 'call', id, method: 'namespaces' });
  });
}

/** A drawing that takes no longer than this leaves room enough for what else a page does. */
const FRAME_MS = 16;
/** Of a table whose newest row is further down than this a moment later, no row in view stays. */
const TURNOVER_ROWS = 30;
/** Rows that are all others each time are drawn no more often than once in so many milliseconds: nobody reads them. */
const TURNOVER_MS = 120;

/** Tells the session when rows are on the screen. What takes long to draw is followed by a pause as long: it is for who uses the page. */
function drawRows(slice: RowsSlice): void {
  const begun = performance.now();
  const leastMs = isTurnover(rowsStore.get(), slice) ? TURNOVER_MS : 0;
  rowsStore.set(slice);
  // React has rendered by then.
  let rendered = begun;
  queueMicrotask(() => {
    rendered = performance.now();
  });
  requestAnimationFrame(() => {
    const frame = performance.now();
    const { port1, port2 } = new MessageChannel();
    // After the frame is laid out and painted.
    port1.onmessage = () => {
      port1.close();
      const took = rendered - begun + performance.now() - frame;
      const least = begun + leastMs - performance.now();
      setTimeout(() => send({ type: 'drawn' }), Math.max(0, took - FRAME_MS, least));
    };
    port2.postMessage(null);
  });
}

function isTurnover(before: RowsSlice | null, { query, rows }: RowsSlice): boolean {
  if (before?.query.first !== query.first || rows.length < TURNOVER_ROWS) return false;
  const newest = before.rows[0]?.id;
  return !rows.slice(0, TURNOVER_ROWS).some((row) => row?.id === newest);
}

function receive(message: SessionMessage): void {
  quietLooks = 0;
  switch (message.type) {
    case 'connection':
      connectionStore.set(message.state);
      return;
    case 'status':
      statusStore.set(message.status);
      setClockAhead(message.status.clockAhead);
      return;
    case 'rows':
      drawRows(message.slice);
      return;
    case 'flow':
      descriptions.get(message.id)?.(message.answer);
      descriptions.delete(message.id);
      return;
    case 'export':
      exports.get(message.id)?.(message.answer);
      if (message.answer.state !== 'running') exports.delete(message.id);
      return;
    case 'hidden':
      hiddenStore.set(message.hidden);
      return;
    case 'answer':
      questions.get(message.id)?.resolve(message.answer as never);
      questions.delete(message.id);
      return;
    case 'result':
      calls.get(message.id)?.resolve(message.namespaces);
      calls.delete(message.id);
      return;
    case 'failed':
      calls.get(message.id)?.reject(new Error(message.message));
      questions.get(message.id)?.reject(new Error(message.message));
      questions.delete(message.id);
      calls.delete(message.id);
      return;
  }
}
