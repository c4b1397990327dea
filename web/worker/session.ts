import { ViewService } from '#proto/gen/waggle/v1/view_pb.ts';
import type { CallError } from './call-error.ts';
import { callFailure } from './call-failure.ts';
import { MapFeed } from './map-feed.ts';
import type { ExportForm, MapMessage, RowsQuery, SessionMessage, StreamView, TabMessage } from './protocol.ts';
import type { Question } from './question.ts';
import { awakeKeys } from './stream-turns.ts';
import { type Viewer, WatchedView } from './watched-view.ts';

/** What a tab's port can do; a dedicated worker's global scope can do it too. */
export interface TabPort {
  postMessage(message: SessionMessage): void;
  addEventListener(type: 'message', listener: (event: MessageEvent<TabMessage>) => void): void;
  addEventListener(type: 'close', listener: () => void): void;
}

/** A view without viewers is kept this long: a reload finds its flows still there. */
const LINGER_MS = 5_000;

/** All views of all tabs. */
export class Session {
  readonly #views = new Map<string, WatchedView>();
  readonly #lingering = new Map<string, ReturnType<typeof setTimeout>>();

  connect(port: TabPort): void {
    const tab = new Tab(this, port);
    port.addEventListener('message', (event) => tab.receive(event.data));
    port.addEventListener('close', () => tab.leave());
  }

  /** The view with this key, its stream opened if nobody watched it yet. */
  enter(key: string, base: string, view: StreamView): WatchedView {
    clearTimeout(this.#lingering.get(key));
    this.#lingering.delete(key);
    let watched = this.#views.get(key);
    if (watched === undefined) {
      watched = new WatchedView(base, view);
      this.#views.set(key, watched);
    }
    return watched;
  }

  /** Streams are for the tabs that are looked at: to be called when that changes. */
  balance(): void {
    const awake = awakeKeys(this.#views);
    for (const [key, view] of this.#views) {
      if (awake.has(key)) view.wake();
      else view.rest();
    }
  }

  leave(key: string, viewer: Viewer): void {
    const view = this.#views.get(key);
    if (view === undefined) return;
    const watched = view.leave(viewer);
    this.balance();
    if (watched) return;
    clearTimeout(this.#lingering.get(key));
    this.#lingering.set(
      key,
      setTimeout(() => {
        this.#lingering.delete(key);
        this.#views.delete(key);
        view.close();
      }, LINGER_MS),
    );
  }
}

class Tab implements Viewer {
  rows: Viewer['rows'] = null;
  drawing: Viewer['drawing'] = 'no';
  told: Viewer['told'];
  visible = true;
  readonly #session: Session;
  readonly #port: TabPort;
  #map: MapFeed | undefined;
  #base = '';
  #key: string | undefined;
  #view: WatchedView | undefined;
  readonly #exports = new Map<number, AbortController>();

  constructor(session: Session, port: TabPort) {
    this.#session = session;
    this.#port = port;
  }

  send(message: SessionMessage): void {
    this.#port.postMessage(message);
  }

  sendMap(message: MapMessage): void {
    this.#map?.send(message);
  }

  receive(message: TabMessage): void {
    switch (message.type) {
      case 'open':
        this.#open(message.base, message.view);
        return;
      case 'rows':
        this.rows = message.query;
        this.#view?.sendRows(this);
        return;
      case 'retry':
        this.#view?.retryNow();
        return;
      case 'call':
        void this.#namespaces(message.id);
        return;
      case 'ask':
        void this.#answer(message.id, message.question);
        return;
      case 'map':
        this.#map?.close();
        this.#map = new MapFeed(message.port, (reset) => {
          if (reset) this.sendMap({ type: 'reset' });
          this.#view?.sendMapSnapshot(this);
        });
        this.#view?.sendMapSnapshot(this);
        return;
      case 'drawn':
        this.#view?.drawn(this);
        return;
      case 'flow':
        void this.#find(message.id, message.flow);
        return;
      case 'export':
        void this.#export(message.id, message.form, message.query);
        return;
      case 'cancel-export':
        this.#exports.get(message.id)?.abort();
        return;
      case 'visible':
        this.visible = message.visible;
        // What a hidden tab was sent, it may never draw.
        this.drawing = 'no';
        this.#session.balance();
        if (message.visible) {
          this.#view?.retryNow();
          this.#view?.sendRows(this);
        }
        return;
      case 'bye':
        this.leave();
        return;
    }
  }

  leave(): void {
    if (this.#key !== undefined) this.#session.leave(this.#key, this);
    this.#key = undefined;
    this.#view = undefined;
    for (const running of this.#exports.values()) running.abort();
  }

  // What is not needed for the first map is loaded when it is.
  async #find(id: number, flow: string): Promise<void> {
    try {
      const { findFlow } = await import('./find-flow.ts');
      this.send({ type: 'flow', id, answer: await findFlow(this.#base, this.#view?.flows, flow) });
    } catch (error) {
      const { message } = callFailure(error as CallError);
      this.send({ type: 'flow', id, answer: { state: 'failed', message } });
    }
  }

  async #export(id: number, form: ExportForm, query: RowsQuery): Promise<void> {
    const view = this.#view;
    if (view === undefined) return;
    const stop = new AbortController();
    this.#exports.set(id, stop);
    try {
      const { exportFlows } = await import('./flow-export.ts');
      for await (const answer of exportFlows(view.flows.window, form, query, stop.signal)) {
        this.send({ type: 'export', id, answer });
      }
    } catch {
      // The server was away when its part of the program was wanted.
      this.send({ type: 'export', id, answer: { state: 'stopped' } });
    }
    this.#exports.delete(id);
  }

  #open(base: string, view: StreamView): void {
    const key = JSON.stringify([base, view.namespaces, view.filter, view.perNode]);
    if (key === this.#key) return;
    this.leave();
    this.#base = base;
    this.#key = key;
    this.#view = this.#session.enter(key, base, view);
    this.drawing = 'no';
    this.told = undefined;
    this.#view.join(this);
    this.#session.balance();
  }

  async #answer(id: number, question: Question): Promise<void> {
    try {
      const { answerQuestion } = await import('./answer-question.ts');
      this.send({ type: 'answer', id, answer: await answerQuestion(this.#base, question) });
    } catch (error) {
      this.send({ type: 'failed', id, message: callFailure(error as CallError).message });
    }
  }

  async #namespaces(id: number): Promise<void> {
    try {
      // Single calls are not needed for the first map either.
      const { callUnary } = await import('./grpc-web-client.ts');
      const { namespaces } = await callUnary(this.#base, ViewService.method.listNamespaces);
      this.send({
        type: 'result',
        id,
        namespaces: namespaces.map(({ cluster, name, pods }) => ({ cluster, name, pods })),
      });
    } catch (error) {
      this.send({ type: 'failed', id, message: callFailure(error as CallError).message });
    }
  }
}
