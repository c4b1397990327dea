/** What an HTTP program serves at a path. */
export interface Route {
  /** undefined for any method. */
  method: string | undefined;
  /** A whole path, or a beginning when it ends with "*". */
  path: string;
  status: number;
  latencyMs: number | undefined;
}

const FORM = /^(?:([A-Z]+) )?(\/[^\s=]*)(?:=(\d{3})(?:,(\d+)ms)?)?$/;

/**
 * Reads routes, apart by ";": `[METHOD ]/path[*][=STATUS[,LATENCYms]]`, as in
 * `GET /status; POST /v1/request-landing=200; /slow=200,800ms`. Throws with the route that is wrong.
 */
export function parseRoutes(text: string): Route[] {
  return text
    .split(';')
    .map((part) => part.trim())
    .filter(Boolean)
    .map((part) => {
      const match = part.length > 1000 ? null : FORM.exec(part);
      const [, method, path, status = '200', latency] = match ?? [];
      if (path === undefined || Number(status) < 200 || Number(status) > 599) {
        throw new Error(`ROUTES holds "${part}"; expected [METHOD ]/path[*][=STATUS[,LATENCYms]]`);
      }
      return { method, path, status: Number(status), latencyMs: latency === undefined ? undefined : Number(latency) };
    });
}

/** The first route that fits; 405 when only the method does not, else 404. Without any routes everything is served. */
export function findRoute(routes: Route[], method: string, path: string): { status: number; latencyMs?: number } {
  if (routes.length === 0) return { status: 200 };
  const fitting = routes.filter((route) =>
    route.path.endsWith('*') ? path.startsWith(route.path.slice(0, -1)) : route.path === path,
  );
  const route = fitting.find((candidate) => candidate.method === undefined || candidate.method === method);
  if (!route) return { status: fitting.length > 0 ? 405 : 404 };
  return { status: route.status, ...(route.latencyMs === undefined ? {} : { latencyMs: route.latencyMs }) };
}
