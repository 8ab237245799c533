// A chart is a .mmiln-plot with a picture, for readers without scripts and for paper, and a JSON block with its option. Charts are
// drawn when they come into view, the others one by one while the page rests.
(function () {
  if (window.mmilnCharts) return;
  function dark() {
    var lab = document.body.getAttribute('data-jp-theme-light');
    return lab === null ? matchMedia('(prefers-color-scheme: dark)').matches : lab === 'false';
  }
  function theme() { return dark() ? 'mmiln-dark' : 'mmiln-light'; }
  var sizes = new ResizeObserver(function (entries) {
    entries.forEach(function (entry) {
      var chart = echarts.getInstanceByDom(entry.target);
      if (chart && entry.contentRect.width > 0) chart.resize();
    });
  });
  function show(plot) {
    if (plot.getAttribute('data-drawn')) return;
    var data = plot.querySelector('script[type="application/json"]');
    if (!data) return plot.setAttribute('data-drawn', 'never');
    var live = document.createElement('div');
    live.className = 'mmiln-live';
    live.setAttribute('role', 'img');
    live.setAttribute('aria-label', plot.getAttribute('data-alt') || '');
    plot.appendChild(live);
    plot.setAttribute('data-drawn', 'yes');
    var chart = echarts.init(live, theme(), { renderer: 'svg' });
    chart.setOption(JSON.parse(data.textContent));
    sizes.observe(live);
  }
  var seen = new IntersectionObserver(function (entries) {
    entries.forEach(function (entry) {
      if (!entry.isIntersecting) return;
      seen.unobserve(entry.target);
      show(entry.target);
    });
  }, { rootMargin: '300px' });
  function waiting() { return Array.from(document.querySelectorAll('.mmiln-plot:not([data-drawn])')); }
  var resting = 0;
  function rest() {
    resting = 0;
    var next = waiting().find(function (plot) { return plot.clientWidth > 0; });
    if (!next) return;
    show(next);
    resting = setTimeout(rest, 40);
  }
  function draw() {
    waiting().forEach(function (plot) { seen.observe(plot); });
    if (!resting) resting = setTimeout(rest, 400);
  }
  function recolour() {
    document.body.classList.toggle('mmiln-dark', dark());
    document.querySelectorAll('.mmiln-live').forEach(function (live) {
      var chart = echarts.getInstanceByDom(live);
      if (chart) chart.setTheme(theme());
    });
  }
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', recolour);
  new MutationObserver(recolour).observe(document.body, { attributes: true, attributeFilter: ['data-jp-theme-light'] });
  window.mmilnCharts = { draw: draw };
  draw();
})();
