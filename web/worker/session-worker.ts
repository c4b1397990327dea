import { READY } from './ready.ts';
import { Session, type TabPort } from './session.ts';

/**
 * One for all tabs where the browser has shared workers, else one per tab: it holds the streams (a browser allows six
 * connections to one place) and everything that is decoded from them.
 */
const session = new Session();
const scope: unknown = self;

if ('SharedWorkerGlobalScope' in self) {
  (scope as SharedWorkerGlobalScope).onconnect = (event) => {
    const port = event.ports[0];
    session.connect(port as TabPort);
    port.start();
    port.postMessage(READY);
  };
} else {
  session.connect(scope as TabPort);
  postMessage(READY);
}
