import { useEffect, useState } from 'react';
import { ask } from '../../live/session-client.ts';
import { parsePair } from '../../view/pair.ts';
import { streamView } from '../../view/view.ts';
import { useView } from '../../view/view-store.ts';
import type { Description, DescriptionQuestion } from '../../worker/question.ts';
import { isValidToken } from '../filters/token-check.ts';

/** As often as its series have another step. */
const EVERY_MS = 3_000;

export interface Described {
  /** Null until the server has answered. */
  readonly description: Description | null;
  /** Why it is not, or no longer, kept up to date; empty when it is. */
  readonly problem: string;
}

const NOTHING_YET: Described = { description: null, problem: '' };

/** What the server's window knows about what is selected, kept up to date while somebody looks. */
export function useDescription(select: string): Described {
  const view = useView();
  const { namespaces, filter } = streamView(view, isValidToken);
  const pair = parsePair(select);
  const question: DescriptionQuestion = {
    about: 'description',
    namespaces,
    filter,
    card: pair?.source ?? select,
    destination: pair?.destination ?? null,
  };
  const asked = JSON.stringify(question);
  const [state, setState] = useState<Described & { readonly asked: string }>({ asked, description: null, problem: '' });
  useEffect(() => {
    let stopped = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async () => {
      if (document.visibilityState === 'visible') {
        try {
          const description = await ask(JSON.parse(asked) as DescriptionQuestion);
          if (!stopped) setState({ asked, description, problem: '' });
        } catch (error) {
          const problem = error instanceof Error ? error.message : String(error);
          if (!stopped) setState((before) => ({ ...before, problem }));
        }
      }
      if (!stopped) timer = setTimeout(look, EVERY_MS);
    };
    void look();
    return () => {
      stopped = true;
      clearTimeout(timer);
    };
  }, [asked]);
  // What was said of something else is not shown for this.
  return state.asked === asked ? state : NOTHING_YET;
}
