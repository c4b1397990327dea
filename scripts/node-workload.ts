/** Pods that look, on the node of scripts/node-story.ts, for what leaks and what breaks. Each logs its counts twice a second. */

export const STORY = 'story';
/** How many new pods are watched at once. */
export const CLOSED_PODS = 6;
const PORT = 8080;
const SERVER_SERVICE = '10.96.5.80';
/** The first addresses of the node's range, which pods get one after the other. */
const SCANNED = 120;

const REPORT = `
  const c={};const add=(k,n=1)=>{c[k]=(c[k]||0)+n};
  setInterval(()=>{figures();console.log(JSON.stringify({t:Date.now(),...c}));if(!keep)for(const k in c)delete c[k]},500);`;
/** A figure that the kernel keeps for the pod's network: such files have a line of names and one of numbers. */
const SNMP = `
  const snmp=(kind,name,file='snmp')=>{const [n,v]=require('fs').readFileSync('/proc/net/'+file,'utf8').split('\\n')
    .filter(l=>l.startsWith(kind+':')).map(l=>l.split(' '));return Number(v[n.indexOf(name)])};`;
const net = `const net=require('net'),dgram=require('dgram');`;

/** Where the two that stay on the node's own loopback meet. */
const NEAR_PORT = 18_080;

/** Echoes; counts datagrams and connections by who sends them, from its start, and what it had to send again. */
const SERVER = `const keep=true;const figures=()=>{c.resent=snmp('Tcp','RetransSegs')};${SNMP}${net}${REPORT}
  dgram.createSocket('udp4').on('message',(m,r)=>add(r.address)).bind(${PORT});
  net.createServer(s=>{add(s.remoteAddress.replace('::ffff:',''));s.on('error',()=>{});s.pipe(s)}).listen(${PORT},'0.0.0.0');`;

/** One connection, a byte every 5 ms; the longest time between two answers, and what had to be sent again. */
const friendOf = (address: string, port: number) => `const keep=false;
  const figures=()=>{c.resent=snmp('Tcp','RetransSegs')};${SNMP}${net}${REPORT}
  let last=0;
  const go=()=>{const s=net.connect(${port},'${address}');s.setNoDelay(true);let open=0;
    const beat=setInterval(()=>open&&s.write('x'),5);
    s.on('connect',()=>{open=1});
    s.on('data',d=>{const n=Date.now();add('answered',d.length);c.gap=Math.max(c.gap||0,last?n-last:0);last=n});
    s.on('error',()=>{});s.on('close',()=>{clearInterval(beat);if(open)add('broken');setTimeout(go,200)})};
  go();`;

/** The same on the node's loopback, where nothing of Waggle's is: what the machine alone makes of it. */
const NEAR = `require('net').createServer(s=>{s.on('error',()=>{});s.pipe(s)}).listen(${NEAR_PORT},'127.0.0.1');
  ${friendOf('127.0.0.1', NEAR_PORT)}`;

/**
 * A new connection to the Service every 50 ms, closed when it is answered, and its SYNs that had to be sent again. One that takes
 * long is no failure: where processes wait seconds for their turn, answers that are there are not read.
 */
const CALLER = `const keep=false;
  const figures=()=>{c.syns=snmp('TcpExt','TCPSynRetrans','netstat')};${SNMP}${net}${REPORT}
  setInterval(()=>{const s=net.connect(${PORT},'${SERVER_SERVICE}');let good=0;
    const late=setTimeout(()=>add('late'),2000),never=setTimeout(()=>s.destroy(),20000);
    s.on('connect',()=>s.write('x'));s.on('data',()=>{good=1;s.end()});s.on('error',()=>{});
    s.on('close',()=>{clearTimeout(late);clearTimeout(never);add(good?'good':'bad')})},50);`;

/** The same from a pod that policy keeps out. */
const FOE = `const keep=false;const figures=()=>{};${SNMP}${net}${REPORT}
  setInterval(()=>{add('tried');const s=net.connect(${PORT},'${SERVER_SERVICE}');
    s.on('connect',()=>{add('connected');s.destroy()});s.on('error',()=>{});setTimeout(()=>s.destroy(),500)},50);`;

/** A datagram to each address of the range every 20 ms: whoever comes into being is met by some. */
const SCANNER = `const keep=false;const figures=()=>{};${SNMP}${net}${REPORT}
  const u=dgram.createSocket('udp4');u.on('error',()=>{});
  setInterval(()=>{for(let i=2;i<${SCANNED};i++)u.send('x',${PORT},'10.244.0.'+i,()=>add('sent'))},20);`;

/** Sends from its first moment, 1 ms apart. What came in is the kernel's count: before there was this process, and since. */
const CLOSED = `const keep=true;${SNMP}const came=()=>snmp('Udp','InDatagrams')+snmp('Udp','NoPorts');
  const before=came();const figures=()=>{c.before=before;c.in=came()-before};${net}${REPORT}
  const u=dgram.createSocket('udp4').bind(${PORT});u.on('error',()=>{});
  setInterval(()=>{add('sent');u.send('x',${PORT},process.env.OPEN,()=>{})},1);
  for(let i=0;i<20;i++)net.connect(${PORT},process.env.OPEN).on('error',()=>{});`;

/** A pod under a policy that lets nothing in or out. @param open the address of pod `open`, which anybody may send to */
export function closedPod(name: string, image: string, open: string): string {
  return pod(name, 'closed', image, CLOSED, `[{ name: OPEN, value: ${JSON.stringify(open)} }]`);
}

/** All that runs from the start, with its policies. */
export function storyManifest(image: string): string {
  const friend = friendOf(SERVER_SERVICE, PORT);
  const programs = { server: SERVER, open: SERVER, friend, caller: CALLER, foe: FOE, scanner: SCANNER };
  const pods = Object.entries(programs).map(([name, code]) => pod(name, name, image, code));
  return [RULES, ...pods, `${pod('near', 'near', image, NEAR)}  hostNetwork: true\n`].join('---\n');
}

const RULES = `apiVersion: v1
kind: Namespace
metadata: { name: ${STORY} }
---
apiVersion: v1
kind: Service
metadata: { name: server, namespace: ${STORY} }
spec: { clusterIP: ${SERVER_SERVICE}, selector: { app: server }, ports: [{ port: ${PORT} }] }
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: from-friends, namespace: ${STORY} }
spec:
  podSelector: { matchLabels: { app: server } }
  ingress: [{ from: [{ podSelector: { matchExpressions: [{ key: app, operator: In, values: [friend, caller] }] } }] }]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: closed, namespace: ${STORY} }
spec: { podSelector: { matchLabels: { app: closed } }, policyTypes: [Ingress, Egress] }
`;

function pod(name: string, app: string, image: string, code: string, environment = '[]'): string {
  return `apiVersion: v1
kind: Pod
metadata: { name: ${name}, namespace: ${STORY}, labels: { app: ${app} } }
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: probe
    image: ${image}
    imagePullPolicy: Never
    command: [node, -e, ${JSON.stringify(code)}]
    env: ${environment}
`;
}
