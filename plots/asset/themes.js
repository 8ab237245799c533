// Colours differ in lightness too, so that charts survive printing in grey; series differ in symbol and dash beside.
(function () {
  function theme(ink, faint, line, paper, colours) {
    var axis = {
      axisLine: { lineStyle: { color: faint } }, axisTick: { lineStyle: { color: faint } },
      axisLabel: { color: ink }, nameTextStyle: { color: ink }, splitLine: { lineStyle: { color: [line] } }
    };
    return {
      color: colours, backgroundColor: 'transparent', animationDuration: 300,
      textStyle: { color: ink, fontFamily: 'system-ui, -apple-system, Helvetica, Arial, sans-serif' },
      legend: { textStyle: { color: ink }, pageTextStyle: { color: ink }, pageIconColor: ink, inactiveColor: faint },
      tooltip: { backgroundColor: paper, borderColor: faint, textStyle: { color: ink }, confine: true },
      visualMap: { textStyle: { color: ink } },
      markLine: { lineStyle: { color: ink }, label: { color: ink } },
      boxplot: { itemStyle: { color: paper } },
      categoryAxis: axis, valueAxis: axis, logAxis: axis, timeAxis: axis
    };
  }
  echarts.registerTheme('mmiln-light', theme('#222', '#777', '#e3e3e3', '#fff',
    ['#123f6b', '#d9730d', '#7d1d6f', '#2f9e6b', '#a11d1d', '#5b8fd0', '#6b6b6b', '#b59a00']));
  echarts.registerTheme('mmiln-dark', theme('#e6e6e6', '#8a8a8a', '#3a3a3a', '#1d1f21',
    ['#9cc9f5', '#ff9f43', '#e59ad8', '#4fc08d', '#ff7b7b', '#5b8fd0', '#b0b0b0', '#f2dd6e']));
})();
