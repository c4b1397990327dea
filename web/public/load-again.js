// The page's own files may not come: a proxy is too busy, or a server of another version has no such file while servers are replaced
// one by one. Nothing else is there yet to say so. Not built, and never kept by browsers: it must not be what is missing.
(() => {
  const LONGEST_WAIT_S = 30;
  let failed = false;

  /** Of the page as it is opened; parts that are loaded later have their own way. */
  function onError({ target }) {
    if (failed || !(target instanceof Element) || !target.matches('script, link[rel=stylesheet]')) return;
    failed = true;
    // Lives as long as the page's place in the history: also where storage is blocked.
    const times = Number(history.state?.loadedAgain) || 0;
    history.replaceState({ loadedAgain: times + 1 }, '');
    const wait = Math.min(2 ** times, LONGEST_WAIT_S);
    setTimeout(() => location.reload(), wait * 1_000);
    const words = document.createElement('p');
    words.setAttribute('role', 'alert');
    words.textContent = `The server did not give all of this page. Loading it again in ${wait} s.`;
    const say = () => document.body.prepend(words);
    if (document.body === null) addEventListener('DOMContentLoaded', say);
    else say();
  }

  addEventListener('error', onError, true);
  addEventListener('load', () => {
    removeEventListener('error', onError, true);
    if (!failed && history.state?.loadedAgain) history.replaceState(null, '');
  });
})();
