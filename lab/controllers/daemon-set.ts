import { deleteObject } from '../store/delete.ts';
import { matchesLabels } from '../store/label-selector.ts';
import { type DaemonSet, isPodReady, type Node, type Pod } from '../store/objects.ts';
import type { Controller } from './control-loop.ts';
import { activePods, byOwner, updateStatus } from './owned.ts';
import { podFromTemplate, templateHash } from './pod-template.ts';

const TEMPLATE_LABEL = 'controller-revision-hash';

/** One pod of each DaemonSet on every node it may run on; pods of an older template are replaced. */
export const daemonSetController: Controller = {
  kinds: ['DaemonSet', 'Pod', 'Node'],
  reconcile(store) {
    const pods = byOwner(store.list<Pod>('Pod'));
    const nodes = store.list<Node>('Node');
    for (const set of store.list<DaemonSet>('DaemonSet')) {
      const { template } = set.spec;
      const hash = templateHash(template);
      const eligible = nodes.filter((node) => matchesLabels(template.spec.nodeSelector, node.metadata.labels));
      const owned = pods.get(set.metadata.uid) ?? [];
      let scheduled = 0;
      let ready = 0;
      for (const { metadata } of eligible) {
        const there = owned.filter((pod) => pod.spec.nodeName === metadata.name);
        const [pod, ...surplus] = activePods(there);
        for (const extra of surplus) deleteObject(store, extra);
        if (pod && pod.metadata.labels?.[TEMPLATE_LABEL] !== hash) deleteObject(store, pod);
        else if (pod) {
          scheduled++;
          if (isPodReady(pod)) ready++;
        } else if (there.every((old) => !old.metadata.deletionTimestamp)) {
          store.put(podFromTemplate(set, template, { labels: { [TEMPLATE_LABEL]: hash }, nodeName: metadata.name }));
          scheduled++;
        }
      }
      for (const pod of activePods(owned)) {
        if (!eligible.some((node) => node.metadata.name === pod.spec.nodeName)) deleteObject(store, pod);
      }
      updateStatus(store, set, {
        desiredNumberScheduled: eligible.length,
        currentNumberScheduled: scheduled,
        numberReady: ready,
      });
    }
  },
};
