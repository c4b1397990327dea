import type { FilterError } from '#core/filter/filter.ts';

/** A token with what is wrong in it underlined where it stands. */
export function MarkedToken({ token, error }: { token: string; error: FilterError }) {
  return (
    <>
      {token.slice(0, error.start)}
      <span className="text-dropped-text underline decoration-wavy underline-offset-2">
        {token.slice(error.start, error.end) || '\u00a0'}
      </span>
      {token.slice(error.end)}
    </>
  );
}
