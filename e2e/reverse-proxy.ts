import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '#runtime/testing/free-port.ts';
import { eventually } from './eventually.ts';

const NGINX = '/usr/sbin/nginx';
const HAPROXY = '/usr/sbin/haproxy';

/** Which proxies are not installed; the tests through them are skipped. */
export const missingProxies: readonly string[] = [NGINX, HAPROXY].filter((path) => !existsSync(path));

export interface ProxyOptions {
  /** Ports of loopback with a backend behind each. */
  readonly backends: readonly number[];
  /** Path under which Waggle is reached; the proxy takes it off and tells it in a header. */
  readonly prefix: string;
  /** PEM files; without them the proxy speaks plain HTTP. */
  readonly tls?: { readonly certificate: string; readonly key: string };
}

/** A real reverse proxy of its own on a free port of loopback, set up as its manual's examples do. */
export class ReverseProxy {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #exit: Promise<unknown>;
  readonly #scheme: string;

  private constructor(port: number, child: ChildProcess, folder: string, scheme: string) {
    this.port = port;
    this.#child = child;
    this.#folder = folder;
    this.#scheme = scheme;
    this.#exit = new Promise((resolve) => child.once('close', resolve));
  }

  static async nginx(options: ProxyOptions): Promise<ReverseProxy> {
    return await ReverseProxy.#start(NGINX, options, nginxConfiguration, (file, folder) => ['-c', file, '-p', folder]);
  }

  static async haproxy(options: ProxyOptions): Promise<ReverseProxy> {
    return await ReverseProxy.#start(HAPROXY, options, haproxyConfiguration, (file) => ['-db', '-f', file]);
  }

  static async #start(
    program: string,
    options: ProxyOptions,
    configuration: (port: number, folder: string, options: ProxyOptions) => string,
    flags: (file: string, folder: string) => string[],
  ): Promise<ReverseProxy> {
    const folder = await mkdtemp(join(tmpdir(), 'waggle-proxy-'));
    const port = await freePort();
    const file = join(folder, 'proxy.conf');
    await writeFile(file, configuration(port, folder, options));
    const child = spawn(program, flags(file, folder), { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (text) => {
      said = (said + text).slice(-4_000);
    });
    const proxy = new ReverseProxy(port, child, folder, options.tls === undefined ? 'http' : 'https');
    await eventually(`${program} listens`, 10_000, async () => {
      if (child.exitCode !== null) throw new Error(`${program} ended: ${said}`);
      return await answers(port);
    });
    return proxy;
  }

  get origin(): string {
    return `${this.#scheme}://127.0.0.1:${this.port}`;
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    const killed = setTimeout(() => this.#child.kill('SIGKILL'), 3_000);
    await this.#exit;
    clearTimeout(killed);
    await rm(this.#folder, { recursive: true });
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

// Buffering is left as it is by default: on. What the backend answers has to switch it off.
function nginxConfiguration(port: number, folder: string, { backends, prefix, tls }: ProxyOptions): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder};`);
  const certificate = tls && `ssl_certificate ${tls.certificate}; ssl_certificate_key ${tls.key};`;
  return `daemon off;
user root;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr warn;
events { worker_connections 1024; }
http {
  access_log off;
  ${temporary.join('\n  ')}
  upstream waggle {
    ${backends.map((each) => `server 127.0.0.1:${each} max_fails=1 fail_timeout=1s;`).join('\n    ')}
  }
  server {
    listen 127.0.0.1:${port}${tls === undefined ? '' : ' ssl'};
    ${certificate ?? ''}
    location ${prefix}/ {
      proxy_pass http://waggle/;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Prefix ${prefix};
      proxy_read_timeout 1h;
    }
  }
}
`;
}

function haproxyConfiguration(port: number, _folder: string, { backends, prefix }: ProxyOptions): string {
  return `global
  maxconn 1000
defaults
  mode http
  option forwardfor
  option redispatch
  retries 3
  timeout connect 2s
  timeout client 1h
  timeout server 1h
frontend portal
  bind 127.0.0.1:${port}
  use_backend waggle if { path_beg ${prefix}/ }
backend waggle
  balance roundrobin
  http-request set-header X-Forwarded-Host %[req.hdr(Host)]
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Prefix ${prefix}
  http-request replace-path ${prefix}(/.*) \\1
${backends.map((each, at) => `  server b${at} 127.0.0.1:${each} check inter 500ms on-marked-down shutdown-sessions`).join('\n')}
`;
}
