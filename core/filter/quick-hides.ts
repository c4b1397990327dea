/** What people often want out of the way. Each is nothing but tokens, so that it is seen, shared and undone like any filter. */
export interface QuickHide {
  readonly name: string;
  readonly doc: string;
  readonly tokens: readonly string[];
}

export const QUICK_HIDES: readonly QuickHide[] = [
  { name: 'Host', doc: 'what nodes send to their own pods, and get from them', tokens: ['!identity=host'] },
  { name: 'Remote nodes', doc: 'what other nodes send and get', tokens: ['!identity=remote-node'] },
  { name: 'kube-dns', doc: "the cluster's DNS servers", tokens: ['!label k8s-app=kube-dns'] },
  {
    name: 'Prometheus',
    doc: 'what collects metrics',
    // Two labels are in use: its operator and chart set the longer one.
    tokens: ['!label app=prometheus', '!label app.kubernetes.io/name=prometheus'],
  },
  {
    name: 'Translations',
    doc: 'what sockets exchanged a Service for, before its packets',
    tokens: ['!verdict=traced', '!verdict=translated'],
  },
];
