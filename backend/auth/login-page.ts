import type { Response } from 'express';
import { forwardedOf } from './forwarded.ts';

/** A page without scripts, which is all that is served to somebody who has not signed in. */
export interface LoginPage {
  readonly title: string;
  readonly text: string;
  /** What went wrong before. */
  readonly failure?: string;
  /** Asks for a token; otherwise there is a button that leads on. */
  readonly asksToken: boolean;
  readonly next: string;
  /** Something else that may be wanted, in a window of its own. */
  readonly link?: { readonly text: string; readonly href: string };
}

export function sendLoginPage(response: Response, status: number, page: LoginPage): void {
  const { base } = forwardedOf(response);
  const action = `${base}login`;
  const next = `<input type="hidden" name="next" value="${escaped(page.next)}">`;
  const form = page.asksToken
    ? `<form method="post" action="${escaped(action)}">${next}
        <label for="token">Token</label>
        <input id="token" name="token" type="password" autocomplete="off" spellcheck="false" required autofocus>
        <p class="hint">For instance of a service account: <code>kubectl create token NAME</code></p>
        <button>Sign in</button></form>`
    : `<form method="get" action="${escaped(action)}">${next}<input type="hidden" name="go" value="1"><button autofocus>Sign in</button></form>`;
  response
    .status(status)
    .set('cache-control', 'no-store')
    .type('html')
    .send(
      `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="dark light"><title>${escaped(page.title)} – Waggle</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="${escaped(base)}login.css"></head>
<body><main><h1>${escaped(page.title)}</h1><p>${escaped(page.text)}</p>
${page.failure === undefined ? '' : `<p class="failure" role="alert">${escaped(page.failure)}</p>`}
${form}${page.link === undefined ? '' : `\n<p class="link"><a href="${escaped(page.link.href)}" target="_blank" rel="noopener noreferrer">${escaped(page.link.text)}</a></p>`}</main></body></html>
`,
    );
}

/** In the page's own colours, for whatever theme the browser prefers. */
export const LOGIN_STYLE = `:root{color-scheme:dark light;--page:light-dark(#fbfaf7,#0f1113);--panel:light-dark(#fff,#1c2126);
--line:light-dark(#d9d4c8,#2e353c);--text:light-dark(#1d2125,#eceff1);--dim:light-dark(#535c64,#a3aeb7);--accent:light-dark(#875700,#f2b33d);--bad:light-dark(#c23325,#ff6b5e)}
*{box-sizing:border-box}body{margin:0;min-height:100vh;display:grid;place-items:center;background:var(--page);color:var(--text);font:14px/1.5 system-ui,sans-serif}
main{width:min(380px,calc(100vw - 32px));padding:28px;border:1px solid var(--line);border-radius:8px;background:var(--panel)}
h1{margin:0 0 4px;font-size:18px;font-weight:600}p{margin:0 0 16px;color:var(--dim)}label{display:block;margin-bottom:4px;font-weight:500}
input:not([type=hidden]){width:100%;padding:8px 10px;border:1px solid var(--line);border-radius:4px;background:var(--page);color:inherit;font:inherit}
.hint{margin:8px 0 16px;font-size:12px}.failure{color:var(--bad)}.link{margin:16px 0 0}a{color:var(--accent)}code{font-size:12px;user-select:all}
button{width:100%;padding:8px;border:0;border-radius:4px;background:var(--accent);color:light-dark(#fff,#1d1704);font:inherit;font-weight:600;cursor:pointer}
input:focus-visible,button:focus-visible,a:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
`;

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}
