import { createStore } from './store.ts';

/** Who the server takes this browser's person for. */
export interface WhoAmI {
  readonly mode: 'none' | 'token' | 'oidc' | 'proxy';
  readonly user: string;
  readonly canSignOut: boolean;
  /** Milliseconds since 1970; 0 where nothing ends. */
  readonly endsMs: number;
}

/** Null until the server has said, and where nobody has to say who they are. */
export const whoAmIStore = createStore<WhoAmI | null>(null);

/** Asks the server. Resolves with whether people have to say who they are; false as well where it does not answer. */
export async function askWhoAmI(): Promise<boolean> {
  try {
    const response = await fetch(new URL('session.json', document.baseURI));
    const told = (await response.json()) as WhoAmI;
    if (response.ok && told.mode !== 'none') whoAmIStore.set(told);
    return response.ok && told.mode !== 'none';
  } catch {
    // The streams say so.
    return false;
  }
}

/** Ends the session and goes where people sign in. */
export async function signOut(): Promise<void> {
  await fetch(new URL('logout', document.baseURI), { method: 'POST' });
  location.assign(new URL('login?out', document.baseURI));
}
