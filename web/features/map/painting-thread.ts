import { connectPainter } from '../../live/map-client.ts';
import type { FontSource, PainterMessage, Painting, PaintRequest } from './paint-request.ts';

/** The thread that paints large maps, started when one is first asked for. It knows the map by itself, from the map's worker. */
export class PaintingThread {
  readonly #painted: (painting: Painting) => void;
  readonly #failed: () => void;
  #worker: Worker | undefined;

  /** `failed`: there is no such thread in this browser, or it ended. */
  constructor(painted: (painting: Painting) => void, failed: () => void) {
    this.#painted = painted;
    this.#failed = failed;
  }

  /** Answered by one call of `painted`; the next is asked for after it. */
  paint(request: PaintRequest): void {
    this.#worker ??= this.#start();
    tell(this.#worker, { type: 'paint', request });
  }

  end(): void {
    this.#worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(new URL('./paint-worker.ts', import.meta.url), { type: 'module', name: 'waggle-paint' });
    worker.onmessage = ({ data }: MessageEvent<Painting>) => this.#painted(data);
    worker.onerror = () => {
      // What it is told from elsewhere would be kept for it.
      worker.terminate();
      this.#failed();
    };
    tell(worker, { type: 'fonts', fonts: fontsOfPage() });
    const { port1, port2 } = new MessageChannel();
    connectPainter(port1);
    tell(worker, { type: 'feed', port: port2 }, [port2]);
    return worker;
  }
}

function tell(worker: Worker, message: PainterMessage, transfer: Transferable[] = []): void {
  worker.postMessage(message, transfer);
}

function fontsOfPage(): FontSource[] {
  return [...document.styleSheets].flatMap((sheet) => {
    const absolute = (source: string) =>
      source.replaceAll(
        /url\("([^"]*)"\)/g,
        (_, path: string) => `url("${new URL(path, sheet.href ?? document.baseURI)}")`,
      );
    return [...sheet.cssRules].flatMap((rule) =>
      rule instanceof CSSFontFaceRule
        ? {
            family: rule.style.getPropertyValue('font-family').replaceAll('"', ''),
            source: absolute(rule.style.getPropertyValue('src')),
            weight: rule.style.getPropertyValue('font-weight'),
          }
        : [],
    );
  });
}
