import type { FakeCluster } from './fake-agent.ts';
import { VisitedPage } from './visited-page.ts';

/** The page of a cluster whose agents tell what a test has them tell. */
export class ClusterPage extends VisitedPage<FakeCluster> {
  constructor(start: () => Promise<FakeCluster>) {
    super(
      start,
      ({ backend }) => backend.url,
      (cluster) => cluster.stop(),
    );
  }

  get cluster(): FakeCluster {
    return this.served;
  }
}
