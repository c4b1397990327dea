import './theme/theme.css';
import { createRoot } from 'react-dom/client';
import { startShortcuts } from './actions/registry.ts';
import { startFrameActions } from './features/frame/frame-actions.ts';
import { Page } from './features/frame/page.tsx';
import { sceneStore } from './live/map-client.ts';
import { askWhoAmI } from './live/who-am-i.ts';
import { applyTheme } from './theme/theme.ts';
import { ErrorEdge } from './ui/error-edge.tsx';
import { untilLoaded } from './ui/late-part.ts';
import { followParentPage } from './view/parent-page.ts';
import { startSettings } from './view/settings.ts';
import { viewStore } from './view/view-store.ts';

const { theme, embed } = viewStore.get().view;
applyTheme(theme);
startSettings();
if (embed === null) {
  startFrameActions();
  // Nothing is worth telling before there is something to look at.
  const stop = sceneStore.subscribe(() => {
    stop();
    void untilLoaded(() => import('./events/event-log.ts')).then(({ startEventLog }) => startEventLog());
  });
} else {
  followParentPage();
}
// Whoever is no longer signed in is given no file either: what says so has to be there by then.
void askWhoAmI().then(async (signedIn) => {
  if (signedIn) await import('./features/status/obstacle.tsx');
});
startShortcuts();
createRoot(document.getElementById('root')!).render(
  <ErrorEdge part="The page">
    <Page />
  </ErrorEdge>,
);
