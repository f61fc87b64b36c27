// Tells lastseen that whoever reads this page still does, while they look at it: once a minute, with the site's ticket.
//
//   <script src="https://presence.example.com/beacon.js" data-ticket="..." async></script>
(() => {
  const { src, dataset } = document.currentScript;
  if (!dataset.ticket) return;
  const url = new URL("v1/beacon", src);
  const every = 1000 * (Number(dataset.every) || 60);
  let last = -Infinity;

  function tell() {
    const now = performance.now();
    // Going back and forth between tabs is no reason to tell more often.
    if (document.hidden || now - last < every / 2) return;
    last = now;
    navigator.sendBeacon(url, dataset.ticket);
  }

  setInterval(tell, every);
  document.addEventListener("visibilitychange", tell);
  tell();
})();
