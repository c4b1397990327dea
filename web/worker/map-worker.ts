import { TAKEN } from './map-feed.ts';
import { MapPipeline } from './map-pipeline.ts';
import type { MapEvent, MapRequest } from './map-protocol.ts';
import type { MapMessage } from './protocol.ts';
import { READY } from './ready.ts';

/** One per tab: the map's stages and its layout run here, off the page's thread and off the session's. */
const pipeline = new MapPipeline((event: MapEvent) => {
  if (event.type !== 'details' && event.type !== 'cleared') painter?.postMessage(event);
  postMessage(event);
});
let feed: MessagePort | undefined;
let painter: MessagePort | undefined;

addEventListener('message', ({ data }: MessageEvent<MapRequest>) => {
  switch (data.type) {
    case 'feed':
      feed?.close();
      feed = data.port;
      feed.onmessage = (event: MessageEvent<MapMessage>) => {
        pipeline.receive(event.data);
        feed?.postMessage(TAKEN);
      };
      return;
    case 'painter':
      painter?.close();
      painter = data.port;
      pipeline.repeat((event) => painter?.postMessage(event));
      return;
    case 'room':
      pipeline.room = data.room;
      return;
    case 'select':
      pipeline.select(data.key);
      return;
    case 'options':
      pipeline.setOptions(data.options);
      return;
    case 'reach':
      pipeline.setReach(data.reach ?? undefined);
      return;
    case 'policed':
      pipeline.setPoliced(data.policed);
      return;
    case 'arrange':
      pipeline.arrange(data.arrangement);
      return;
    case 'tidy':
      pipeline.tidy();
      return;
  }
});
postMessage(READY);
