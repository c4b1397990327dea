/** Says that something was never seen before: nobody could have known of it ten minutes ago. */
export function NewMark() {
  return (
    <span
      title="Never seen before, since the server began to look"
      className="shrink-0 rounded-sm border border-accent px-1 text-2xs leading-4 text-accent-text"
    >
      new<span className="sr-only">: never seen before</span>
    </span>
  );
}
