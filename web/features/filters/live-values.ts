import { useEffect, useState } from 'react';
import { type ValueBeingTyped, valueBeingTyped } from '#core/filter/complete-token.ts';
import { ask } from '../../live/session-client.ts';
import { streamView, type View } from '../../view/view.ts';
import { useView } from '../../view/view-store.ts';
import type { ValuesQuestion } from '../../worker/question.ts';
import { isValidToken } from './token-check.ts';

const TYPING_MS = 70;
/** How long an answer is as good as a new one. */
const FRESH_MS = 5_000;
const MOST_REMEMBERED = 64;

interface Answered {
  readonly key: string;
  readonly values: readonly string[];
}

const remembered = new Map<string, Answered & { readonly atMs: number }>();

/**
 * Values that flows of this view have for the field that is being written, with the view's other tokens taken into account.
 * Until the server has answered, those of the last answer about the same field stand for them.
 */
export function useLiveValues(text: string, wanted: boolean): { field: string; values: readonly string[] } {
  const view = useView();
  const value = wanted ? valueBeingTyped(text) : undefined;
  const question = value?.field.live === undefined ? undefined : questionOf(value, view);
  const asked = question === undefined ? '' : JSON.stringify(question);
  const [answered, setAnswered] = useState<Answered>({ key: '', values: [] });
  useEffect(() => {
    if (asked === '') return;
    const question = JSON.parse(asked) as ValuesQuestion;
    const key = fieldKey(question);
    const known = remembered.get(asked);
    if (known !== undefined && Date.now() - known.atMs < FRESH_MS) {
      setAnswered(known);
      return;
    }
    let late = false;
    const timer = setTimeout(() => {
      ask(question).then(
        (values) => {
          remember(asked, { key, values, atMs: Date.now() });
          if (!late) setAnswered({ key, values });
        },
        // Without the server there is nothing live to offer; the filter can be written all the same.
        () => {},
      );
    }, TYPING_MS);
    return () => {
      late = true;
      clearTimeout(timer);
    };
  }, [asked]);
  if (question === undefined) return { field: '', values: [] };
  return { field: question.field, values: answered.key === fieldKey(question) ? answered.values : [] };
}

function questionOf({ field, side, typed }: ValueBeingTyped, view: View): ValuesQuestion {
  const { namespaces, filter } = streamView(view, isValidToken);
  return { about: 'values', namespaces, filter, field: field.name, side, typed };
}

function fieldKey({ field, side, namespaces, filter }: ValuesQuestion): string {
  return JSON.stringify([field, side, namespaces, filter]);
}

function remember(asked: string, answer: Answered & { readonly atMs: number }): void {
  remembered.delete(asked);
  remembered.set(asked, answer);
  for (const oldest of remembered.keys()) {
    if (remembered.size <= MOST_REMEMBERED) return;
    remembered.delete(oldest);
  }
}
