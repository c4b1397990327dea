import type {
  ConnectionState,
  NamespaceSummary,
  RowsQuery,
  RowsSlice,
  SessionMessage,
  StatusSummary,
  StreamView,
  TabMessage,
} from '../worker/protocol.ts';
import { createStore } from './store.ts';

/** Where the API is: beside the page, whatever path it is served under. */
const API_BASE = new URL('api/', document.baseURI).href;

export const connectionStore = createStore<ConnectionState>({ phase: 'connecting' });
export const statusStore = createStore<StatusSummary | null>(null);
export const rowsStore = createStore<RowsSlice | null>(null);

interface Outlet {
  postMessage(message: TabMessage, transfer?: Transferable[]): void;
}

const calls = new Map<number, { resolve(value: readonly NamespaceSummary[]): void; reject(error: Error): void }>();
let lastCall = 0;
let outlet: Outlet | undefined;
let opened: TabMessage | undefined;

/** Starts the session's worker, or joins the one other tabs have started. */
function start(): Outlet {
  const name = 'waggle-session';
  if (typeof SharedWorker === 'undefined') {
    const worker = new Worker(new URL('../worker/session-worker.ts', import.meta.url), { type: 'module', name });
    worker.onmessage = (event: MessageEvent<SessionMessage>) => receive(event.data);
    return worker;
  }
  const shared = new SharedWorker(new URL('../worker/session-worker.ts', import.meta.url), { type: 'module', name });
  shared.port.onmessage = (event: MessageEvent<SessionMessage>) => receive(event.data);
  addEventListener('pagehide', () => shared.port.postMessage({ type: 'bye' } satisfies TabMessage));
  addEventListener('pageshow', (event: PageTransitionEvent) => {
    if (event.persisted && opened !== undefined) send(opened);
  });
  return shared.port;
}

export function send(message: TabMessage, transfer: Transferable[] = []): void {
  outlet ??= start();
  outlet.postMessage(message, transfer);
}

export function openView(view: StreamView): void {
  const message: TabMessage = { type: 'open', base: API_BASE, view };
  if (JSON.stringify(message) === JSON.stringify(opened)) return;
  opened = message;
  send(message);
}

export function queryRows(query: RowsQuery): void {
  send({ type: 'rows', query });
}

export function retryNow(): void {
  send({ type: 'retry' });
}

export function listNamespaces(): Promise<readonly NamespaceSummary[]> {
  const id = ++lastCall;
  return new Promise((resolve, reject) => {
    calls.set(id, { resolve, reject });
    send({ type: 'call', id, method: 'namespaces' });
  });
}

function receive(message: SessionMessage): void {
  switch (message.type) {
    case 'connection':
      connectionStore.set(message.state);
      return;
    case 'status':
      statusStore.set(message.status);
      return;
    case 'rows':
      rowsStore.set(message.slice);
      return;
    case 'result':
      calls.get(message.id)?.resolve(message.namespaces);
      calls.delete(message.id);
      return;
    case 'failed':
      calls.get(message.id)?.reject(new Error(message.message));
      calls.delete(message.id);
      return;
  }
}
