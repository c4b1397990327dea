import { freePort } from '#runtime/testing/free-port.ts';
import { labName, takeDown } from './lab.ts';
import { labResidue } from './residue.ts';
import { WaggleProcess } from './waggle.ts';

const READY_MS = 90_000;

/** `waggle demo` as a newcomer starts it, beside whatever else runs here. */
export class Demo {
  readonly lab: string;
  readonly url: string;
  readonly process: WaggleProcess;

  private constructor(lab: string, url: string, process: WaggleProcess) {
    this.lab = lab;
    this.url = url;
    this.process = process;
  }

  /** Resolves once it has printed its address. `more` are further arguments. */
  static async start(...more: readonly string[]): Promise<Demo> {
    const lab = labName();
    const listen = `127.0.0.1:${await freePort()}`;
    const grpc = `127.0.0.1:${await freePort()}`;
    const running = WaggleProcess.start(['demo', '--name', lab, '--listen', listen, '--grpc-listen', grpc, ...more]);
    try {
      const [, url] = await running.says(new RegExp(`(http://${listen.replaceAll('.', '\\.')})`), READY_MS);
      return new Demo(lab, url, running);
    } catch (error) {
      await running.stop().catch(() => {});
      await takeDown(lab).catch(() => {});
      throw error;
    }
  }

  /** Ctrl-C. Returns what is left of it on this machine, which should be nothing. */
  async stop(): Promise<string[]> {
    await this.process.stop();
    return labResidue(this.lab);
  }
}
