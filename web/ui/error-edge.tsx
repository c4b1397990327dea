import { TriangleAlert } from 'lucide-react';
import { Component, type ReactNode } from 'react';
import { Button } from './button.tsx';
import { State } from './state.tsx';

/** A part of the page that broke says so in its place; the other parts go on. */
export class ErrorEdge extends Component<
  { part: string /** What stands in its place instead. */; instead?: ReactNode; children: ReactNode },
  { error: Error | null }
> {
  override state: { error: Error | null } = { error: null };

  static getDerivedStateFromError(error: unknown): { error: Error } {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (error === null) return this.props.children;
    if (this.props.instead !== undefined) return this.props.instead;
    // A file of this build that is gone: another version is served by now.
    const outdated = /dynamically imported module|module script/i.test(error.message);
    return (
      <div role="alert" className="size-full bg-background">
        <State
          icon={<TriangleAlert size={20} />}
          title={outdated ? 'Waggle was updated' : `${this.props.part} stopped working`}
          actions={
            <>
              <Button onClick={() => location.reload()}>Load the page again</Button>
              {!outdated && <Button onClick={() => this.setState({ error: null })}>Try again</Button>}
            </>
          }
        >
          {outdated ? 'This page is of a version that the server no longer has.' : error.message}
        </State>
      </div>
    );
  }
}
