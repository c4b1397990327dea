import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, posix, relative, sep } from 'node:path';
import { type RequestHandler, Router, static as serveStatic } from 'express';

/** A build gives these files names that change with their content. */
const HASHED = /^\/assets\//;

const ENCODINGS = [
  { name: 'br', suffix: '.br' },
  { name: 'gzip', suffix: '.gz' },
] as const;

/**
 * Serves the built page. Assets are kept by browsers for good, everything else is asked for again each time. Files that have a
 * compressed twin beside them (`x.js.br`, `x.js.gz`) are sent as that, to who accepts it.
 */
export async function pageFiles(folder: string): Promise<RequestHandler> {
  const router = Router();
  if (!existsSync(join(folder, 'index.html'))) {
    router.get('/', (_request, response) => {
      response.status(503).type('text/plain').send('The page is not built: run "npm run build" (npm start does it).\n');
    });
    return router;
  }
  const files = new Set<string>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile())
      files.add(`/${relative(folder, join(entry.parentPath, entry.name)).split(sep).join(posix.sep)}`);
  }
  router.use((request, response, next) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return next();
    const path = request.path.endsWith('/') ? `${request.path}index.html` : request.path;
    const encoding = ENCODINGS.find(({ name, suffix }) => files.has(path + suffix) && request.acceptsEncodings(name));
    if (ENCODINGS.some(({ suffix }) => files.has(path + suffix))) response.vary('Accept-Encoding');
    if (encoding !== undefined) {
      // Before the file's own suffix decides.
      response.type(posix.extname(path));
      response.set('content-encoding', encoding.name);
      request.url = path + encoding.suffix + request.url.slice(request.path.length);
    }
    next();
  });
  router.use(
    serveStatic(folder, {
      index: 'index.html',
      redirect: false,
      setHeaders(response, path) {
        const asset = HASHED.test(`/${relative(folder, path).split(sep).join(posix.sep)}`);
        response.setHeader('cache-control', asset ? 'public, max-age=31536000, immutable' : 'no-cache');
      },
    }),
  );
  return router;
}
