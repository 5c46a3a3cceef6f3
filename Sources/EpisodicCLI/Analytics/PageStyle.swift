/// The style of a page: light and dark as the reader's system, and printed.
enum PageStyle {
  static let css = """
    :root{--ground:#f6f6f4;--card:#fff;--ink:#1c2024;--soft:#60646c;--line:#e2e2de;--grid:#ecece8;
    --completed:#2f9e6e;--failed:#d5485a;--active:#e2a336;--archived:#aab0b8;--good:#2f9e6e;--accent:#3b6fd8;--warm:#d97b29;
    --h0:#eeeeea;--h1:#d3e0f8;--h2:#a6c1f1;--h3:#729ce7;--h4:#4a7bdc;--h5:#2b57b5}
    @media (prefers-color-scheme:dark){:root{--ground:#111214;--card:#191b1f;--ink:#eceef1;--soft:#a0a6b0;--line:#2b2e34;
    --grid:#25282d;--completed:#4cc38a;--failed:#f2707f;--active:#eeb84f;--archived:#767c87;--good:#4cc38a;--accent:#7ba4ff;
    --warm:#f0994d;--h0:#22252a;--h1:#1f3157;--h2:#29457f;--h3:#375daa;--h4:#5580d4;--h5:#8fb4ff}}
    *{box-sizing:border-box}
    body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,
    "Helvetica Neue",Arial,sans-serif;font-variant-numeric:tabular-nums;-webkit-text-size-adjust:100%}
    main{max-width:1120px;margin:0 auto;padding:48px 28px 40px}
    header{margin-bottom:28px}
    h1,h2,p,ul{margin:0;padding:0}
    h1{font-size:34px;line-height:1.15;font-weight:650;letter-spacing:-.022em;overflow-wrap:anywhere}
    .eyebrow{color:var(--soft);font-size:12px;font-weight:600;letter-spacing:.08em;text-transform:uppercase;margin-bottom:6px}
    .period{color:var(--soft);font-size:17px;margin-top:4px}
    .tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(186px,1fr));gap:14px;margin-bottom:14px}
    .tile,.card{background:var(--card);border:1px solid var(--line);border-radius:12px}
    .tile{padding:16px 18px 12px;min-width:0}
    .tile h2{font-size:13px;font-weight:550;color:var(--soft)}
    .value{font-size:29px;line-height:1.25;font-weight:640;letter-spacing:-.02em}
    .note{color:var(--soft);font-size:13px}
    .cards{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:14px}
    .card{padding:20px 22px 16px;min-width:0}
    .wide{grid-column:1/-1}
    .head{display:flex;justify-content:space-between;gap:8px 24px;flex-wrap:wrap;margin-bottom:12px}
    .card h2{font-size:16px;font-weight:620;letter-spacing:-.008em}
    .legend{display:flex;flex-wrap:wrap;gap:4px 16px;list-style:none;font-size:13px;color:var(--soft);align-self:flex-start;
    padding-top:2px}
    .legend li{display:flex;align-items:center;gap:6px}
    .legend i{width:10px;height:10px;border-radius:3px}
    svg{display:block;width:100%;height:auto;overflow:visible}
    .scroll{overflow-x:auto}
    .scroll>svg{min-width:var(--least,0)}
    .trend{height:34px;margin-top:8px}
    .grid{stroke:var(--grid);stroke-width:1}
    .tick{fill:var(--soft);font-size:11.5px}
    .line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round;vector-effect:non-scaling-stroke}
    .trend .line{stroke-width:1.6}
    .line.good{stroke:var(--good)}.line.accent{stroke:var(--accent)}.line.warm{stroke:var(--warm)}
    .line.ink{stroke:var(--soft)}
    .band{opacity:.16}
    i.completed{background:var(--completed)}i.failed{background:var(--failed)}i.active{background:var(--active)}
    i.archived{background:var(--archived)}i.good{background:var(--good)}i.accent{background:var(--accent)}
    i.warm{background:var(--warm)}
    rect.completed{fill:var(--completed)}rect.failed{fill:var(--failed)}rect.active{fill:var(--active)}
    rect.archived{fill:var(--archived)}
    g>rect{stroke:var(--card);stroke-width:1}
    circle.good,polygon.good{fill:var(--good)}circle.accent{fill:var(--accent)}circle.warm{fill:var(--warm)}
    circle.ink{fill:var(--soft)}
    g:hover>rect,rect.heat:hover{opacity:.75}
    .h0{fill:var(--h0)}.h1{fill:var(--h1)}.h2{fill:var(--h2)}.h3{fill:var(--h3)}.h4{fill:var(--h4)}.h5{fill:var(--h5)}
    table{border-collapse:collapse;width:100%;font-size:13.5px}
    th,td{padding:7px 16px 7px 0;text-align:left;font-weight:400;vertical-align:baseline;white-space:nowrap;
    border-top:1px solid var(--grid)}
    th:last-child,td:last-child{padding-right:0}
    thead th{color:var(--soft);font-size:12px;font-weight:550;border-top:0;padding-top:0}
    .number{text-align:right}
    .widest{white-space:normal;overflow-wrap:anywhere;width:99%;min-width:180px}
    .code{font:12.5px/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
    .faint{color:var(--soft)}
    .bar{display:inline-block;width:72px;height:6px;border-radius:3px;background:var(--grid);margin-right:10px;
    vertical-align:.12em;overflow:hidden;text-align:left}
    .bar i{display:block;height:100%;border-radius:3px}
    td b{display:inline-block;min-width:4.5ch;font-weight:400}
    .sizes{display:flex;gap:2px;height:14px;border-radius:7px;overflow:hidden;background:var(--grid);margin:2px 0 14px}
    .sizes i{flex:0 1 0;min-width:3px}
    dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(120px,1fr));gap:12px 16px;margin:0 0 4px}
    dt{color:var(--soft);font-size:12.5px}dd{margin:0;font-size:16px;font-weight:600}
    details{margin-top:10px;font-size:13px}
    summary{color:var(--soft);cursor:pointer;width:max-content;border-radius:4px}
    summary:hover{color:var(--ink)}
    details[open] summary{margin-bottom:8px}
    details .scroll{max-height:320px;overflow-y:auto}
    footer{color:var(--soft);font-size:12.5px;margin-top:22px;max-width:72ch}
    @media screen and (max-width:760px){main{padding:28px 16px}.cards{grid-template-columns:minmax(0,1fr)}h1{font-size:28px}
    .card{padding:16px}}
    @media print{:root{--ground:#fff;--card:#fff;--ink:#000;--soft:#4b4f55;--line:#d4d4d0;--grid:#e6e6e2;--completed:#2f9e6e;
    --failed:#d5485a;--active:#e2a336;--archived:#aab0b8;--good:#2f9e6e;--accent:#3b6fd8;--warm:#d97b29;--h0:#eeeeea;
    --h1:#d3e0f8;--h2:#a6c1f1;--h3:#729ce7;--h4:#4a7bdc;--h5:#2b57b5}
    @page{margin:14mm}
    body{font-size:12px;-webkit-print-color-adjust:exact;print-color-adjust:exact}
    main{max-width:none;padding:0}
    .tile,.card{break-inside:avoid;border-radius:6px}
    .tiles{grid-template-columns:repeat(5,minmax(0,1fr));gap:8px}
    .tile{padding:10px 12px}.value{font-size:20px}
    .card{padding:12px 14px}
    .cards{gap:8px}
    .scroll{overflow:visible}
    .scroll>svg{min-width:0}
    details{display:none}
    th,td{padding:3px 8px 3px 0}
    .widest{min-width:80px}.bar{width:34px;margin-right:6px}
    .cards{grid-template-columns:repeat(2,minmax(0,1fr))}
    table{font-size:9.5px}thead th{font-size:9px}.code{font-size:9px}.note,.legend{font-size:10px}.value{font-size:17px}
    .card h2{font-size:13px}h1{font-size:24px}}
    """
}
