// Three sheets: the page, its plots, and what changes on small screens and paper.
// The palette follows Okabe and Ito ("Color universal design", 2008): blue, orange and bluish green
// stay apart for every common kind of colour blindness; each recipe also has its own marker.
#include "report/style.h"

namespace diptych::report {
namespace {

constexpr const char* kPage = R"css(
:root{color-scheme:light dark;
--paper:#faf9f6;--card:#fff;--ink:#1b1e23;--muted:#5b626d;--rule:#e4e1da;--faint:#f0eee8;
--image:#2f6fb7;--text:#b98000;--fused:#00836a;--other:#7a7f88;--bad:#b43c1f}
@media screen and (prefers-color-scheme:dark){:root{
--paper:#14161a;--card:#1c1f25;--ink:#eceae5;--muted:#a3a9b4;--rule:#31363f;--faint:#23272e;
--image:#79aef0;--text:#e5ae45;--fused:#3fc9a4;--other:#a5abb5;--bad:#ff8f6d}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-behavior:smooth}
body{margin:0 auto;max-width:1120px;padding:0 28px 64px;background:var(--paper);color:var(--ink);
font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","Noto Sans",Arial,
"Apple SD Gothic Neo","Malgun Gothic","Noto Sans CJK KR",sans-serif;
font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
h1,h2,h3,p,figure,ul,dl,dd,table{margin:0;padding:0}
.image{--c:var(--image)}.text{--c:var(--text)}.fused{--c:var(--fused)}.other{--c:var(--other)}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.muted{color:var(--muted);font-weight:400}

.verdict{display:grid;grid-template-columns:1fr auto;gap:28px 56px;align-items:center;
padding:56px 0 32px}
.dataset{font-size:1.05rem;font-weight:600;color:var(--muted)}
h1{line-height:1.08;margin:.35em 0 .45em}
.claim{display:block;font-size:clamp(2.6rem,7.2vw,4.6rem);font-weight:750;letter-spacing:-.035em}
.helps .claim{color:var(--fused)}.hurts .claim{color:var(--bad)}
.exact{display:block;font-size:clamp(1.15rem,2.6vw,1.55rem);font-weight:500;line-height:1.3;
margin-top:.55em;letter-spacing:-.01em}
.facts-line{color:var(--muted);font-size:.95rem}
.hundred{display:flex;gap:22px;align-items:center}
.hundred ul{list-style:none}
.hundred figcaption{font-size:.92rem;line-height:1.45;max-width:12.5rem}
.hundred figcaption p{font-weight:600;margin-bottom:.5em}
.hundred li{padding-left:20px;position:relative;margin:.2em 0}
.swatch{position:absolute;left:0;top:.32em;width:12px;height:12px;border-radius:2.5px}
.squares{width:176px;flex:none}
.kept{fill:var(--image);background:var(--image)}.gained{fill:var(--fused);background:var(--fused)}
.unclear .gained,.unclear .lost{opacity:.5}
.rest{fill:var(--rule);background:var(--rule)}.lost{fill:var(--bad);background:var(--bad)}
.difference{grid-column:1/-1;background:var(--card);border:1px solid var(--rule);border-radius:14px;
padding:18px 26px 16px}
.difference .frame{padding-bottom:28px}
.difference figcaption{font-size:.9rem;color:var(--muted)}

nav{display:flex;flex-wrap:wrap;gap:4px 22px;padding:12px 0;border-block:1px solid var(--rule);
font-size:.92rem}
nav a{color:var(--muted);text-decoration:none}
nav a:hover,nav a:focus{color:var(--ink);text-decoration:underline;text-underline-offset:4px}
section{padding-top:60px}
h2{font-size:clamp(1.45rem,3vw,1.85rem);font-weight:700;letter-spacing:-.02em;line-height:1.2}
h3{font-size:1.05rem;font-weight:650;margin:28px 0 10px}
.lead{color:var(--muted);max-width:46rem;margin:10px 0 24px}
.lead p+p,.prose p+p{margin-top:.7em}
.prose{max-width:46rem;margin-top:14px}
.test{padding:12px 16px;background:var(--faint);border-radius:8px;font-size:.94rem}
details{margin-top:18px}
summary{cursor:pointer;color:var(--muted);font-weight:600;padding:6px 0}
summary:hover{color:var(--ink)}
:focus-visible{outline:2px solid var(--image);outline-offset:3px;border-radius:3px}

table{border-collapse:collapse;width:100%;text-align:start}
th,td{padding:6px 12px;text-align:start;font-weight:400;vertical-align:middle}
th:first-child,td:first-child{padding-left:0}th:last-child,td:last-child{padding-right:0}
thead th{overflow-wrap:normal;font-size:.84rem;color:var(--muted);font-weight:600;vertical-align:bottom;
border-bottom:1px solid var(--rule)}
thead small{display:block;font-weight:400;font-size:.76rem}
.number{text-align:end;white-space:nowrap}
.value{display:block;white-space:nowrap}
.range{display:block;font-size:.8rem;color:var(--muted);white-space:nowrap}
.recipe{display:inline-flex;align-items:center;gap:7px;font-weight:600;white-space:nowrap}
.scores tbody tr{border-bottom:1px solid var(--rule)}
.scores td,.scores tbody th{padding-block:13px}
.scores .value{font-size:1.12rem}.best{font-weight:700}
.scores .plot{margin-top:5px}
.forest{table-layout:fixed}
.forest col:nth-child(1),.forest thead th:nth-child(1){width:17.5rem}
.forest thead th:nth-child(3){width:9.5rem;text-align:end}
.forest thead th:nth-child(n+4){width:4.8rem;text-align:end}
.forest th,.forest td{padding-block:0}.forest thead th{padding-block:6px}
.forest tbody tr{height:60px;line-height:1.35}.forest .group,.forest .axis{height:auto}
.forest .group th{font-weight:700;font-size:1.05rem;padding-top:22px}
.sides{font-size:.8rem;color:var(--muted);vertical-align:bottom}
.left-side{float:left}.right-side{float:right}
.forest td.drawn,.forest .sides{padding-inline:26px}
.declared{background:var(--faint)}
.declared th:first-child{box-shadow:-12px 0 0 var(--faint);}
.declared td:last-child{box-shadow:12px 0 0 var(--faint)}
.second{display:block;white-space:nowrap}
.against{color:var(--muted);font-size:.86rem;padding-left:21px}
.axis td{font-size:.8rem;color:var(--muted);vertical-align:top;padding-top:0}
.classes,.mistakes{table-layout:fixed}
.classes th,.classes td,.mistakes th,.mistakes td{padding-block:0}
.classes thead th{padding-block:8px}
.classes thead th:nth-child(1){width:13rem}.classes thead th:nth-child(n+3){width:5.2rem;
text-align:end}
.classes td.drawn{padding-inline:20px}
.classes tbody th{font-weight:500;white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
.legend .recipe{margin-right:18px;color:var(--ink)}
.rise{color:var(--fused);font-weight:600}.fall{color:var(--bad);font-weight:600}
.two{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr));gap:8px 48px;
margin-top:20px}
.mistakes th{width:50%;font-size:.92rem}.mistakes td:nth-child(3){width:6.6rem;font-size:.9rem}
.mistakes td:nth-child(4){width:3rem}.mistakes td{padding-inline:8px}
.rows{max-width:46rem}.rows th{width:40%}.rows td{padding-block:2px}
.facts{columns:2;column-gap:48px;font-size:.92rem;margin-top:8px}
.facts div{display:flex;justify-content:space-between;gap:20px;padding:5px 0;
border-bottom:1px solid var(--rule);break-inside:avoid}
.facts dt{color:var(--muted);flex:none;max-width:50%}.facts dd{text-align:end}
footer{margin-top:64px;color:var(--muted);font-size:.88rem}
)css";

constexpr const char* kPlots = R"css(
svg{overflow:visible}
.plot{display:block}
.plot text{font-size:12px;fill:var(--muted)}
.tick{stroke:var(--rule);stroke-width:1}
.zero{stroke:var(--muted);stroke-width:1.5}
.mark path{fill:var(--c);stroke:var(--card);stroke-width:1.5}
.icon{flex:none}
.icon path{stroke:none}
.interval{stroke:var(--c);stroke-width:3;stroke-linecap:round}
.interval-end{stroke:var(--c);stroke-width:2}
.dot path{opacity:.55;stroke-width:0}
.dot:hover path{opacity:1}
.difference .interval{stroke-width:12;opacity:.35;stroke-linecap:butt}
.difference .interval-end{stroke-width:3}
.helps-side{fill:var(--fused);opacity:.07}
.plot .side{font-size:13px}
.plot .mean-value{font-size:19px;font-weight:700;fill:var(--ink)}
.plot .end-value{font-size:13px}
.amount{fill:var(--c)}.amount.neutral{fill:var(--ink);opacity:.6}.amount.skipped{fill:var(--bad)}
.track{fill:var(--faint)}
.link{stroke-width:4;opacity:.45}.link.rise{stroke:var(--fused)}.link.fall{stroke:var(--bad)}

.panels{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,18.5rem),1fr));
gap:26px 30px}
.panels+.panels{margin-top:26px}
.panel figcaption{display:flex;justify-content:space-between;align-items:center;font-size:.95rem}
.quantity{color:var(--muted)}
.panel .frame{padding:30px 70px 26px 42px}
.curve{fill:none;stroke:var(--c);stroke-width:2.25;stroke-linejoin:round;
vector-effect:non-scaling-stroke}
.curve.train{stroke-width:1.75;stroke-dasharray:5 4}
.band{fill:var(--c);opacity:.17;stroke:none}.band.train{opacity:.1}
.rug path{fill:var(--c,var(--muted));opacity:.7}
.catch{fill:transparent}
.guide{stroke:var(--muted);stroke-width:1}
.shown{visibility:hidden;pointer-events:none}
.epoch:hover .shown{visibility:visible}
.plot .readout{fill:var(--ink)}

.scroll{overflow-x:auto}
.matrix{display:block;max-width:100%;height:auto;margin-top:8px}
.matrix text{fill:var(--ink)}.matrix .names text{fill:var(--muted)}
.matrix .names .axis-name{font-style:italic;fill:var(--ink)}
.matrix .deep{fill:var(--card)}.matrix.text .deep{fill:var(--ink)}
@media screen and (prefers-color-scheme:dark){
.matrix .half,.matrix .deep,.matrix.text .deep{fill:var(--paper)}}
.matrix rect{fill:var(--c)}.matrix .field{fill:var(--faint)}
.matrix g:hover>rect{stroke:var(--ink);stroke-width:1.5}
.tabs input{position:absolute;opacity:0}
.tabs>label{display:inline-block;padding:7px 14px;margin-right:8px;border:1px solid var(--rule);
border-radius:999px;cursor:pointer;opacity:.75}
.tabs input:checked+label{background:var(--card);border-color:var(--muted);opacity:1}
.tabs input:focus-visible+label{outline:2px solid var(--image);outline-offset:2px}
.pages{margin-top:16px}.pages>figure{display:none}.pages figcaption{display:none}
.tabs input:nth-of-type(1):checked~.pages>:nth-child(1),
.tabs input:nth-of-type(2):checked~.pages>:nth-child(2),
.tabs input:nth-of-type(3):checked~.pages>:nth-child(3),
.tabs input:nth-of-type(4):checked~.pages>:nth-child(4){display:block}

.cards{list-style:none;display:grid;gap:18px;
grid-template-columns:repeat(auto-fill,minmax(min(100%,15.5rem),1fr))}
.card{background:var(--card);border:1px solid var(--rule);border-radius:12px;overflow:hidden;
display:flex;flex-direction:column;min-width:0}
.picture{background:var(--faint);height:168px;display:grid;place-items:center;overflow:hidden;
color:var(--muted);font-size:.85rem}
.picture img{width:100%;height:168px;object-fit:contain;padding:10px}
.several{grid-auto-flow:column;grid-auto-columns:1fr}
.card-words{padding:12px 16px 14px;font-size:.92rem;display:flex;flex-direction:column;flex:1}
.card .text{display:-webkit-box;-webkit-box-orient:vertical;-webkit-line-clamp:4;overflow:hidden;
margin:6px 0 12px;white-space:pre-line;word-break:keep-all;flex:1 0 auto;max-height:6.2em;font-size:.95rem}
.answer{display:grid;grid-template-columns:1.1em 1fr auto;gap:1px 6px;padding:7px 0 8px;
border-top:1px solid var(--rule)}
.answer .who{grid-column:1/-1;font-size:.8rem}.answer .who .recipe{font-weight:500;color:var(--muted)}
.sign{grid-row:2;font-weight:700}.sign.right{color:var(--fused)}.sign.wrong{color:var(--bad)}
.said{font-weight:600}
.sure{color:var(--muted)}
.answer .plot{grid-column:1/-1;margin-top:3px}
.id{font-size:.74rem;color:var(--muted);margin-top:6px;white-space:nowrap;overflow:hidden;
text-overflow:ellipsis}
)css";

constexpr const char* kSmallAndPaper = R"css(
@media (max-width:860px){
.verdict{grid-template-columns:1fr;padding-top:36px}
.forest thead th:nth-child(1){width:11.5rem}
}
@media (max-width:640px){
body{padding:0 16px 48px;font-size:15.5px}
section{padding-top:46px}
.difference{padding:14px 14px 12px;border-radius:12px}
.squares{width:136px}.hundred{gap:16px}
.scores,.scores tbody,.scores tr,.scores th,.scores td,
.forest,.forest tbody,.forest tr,.forest th,.forest td{display:block;padding-inline:0}
.scores thead,.forest thead{position:absolute;width:1px;height:1px;overflow:hidden;
clip-path:inset(50%)}
.scores tr{padding:14px 0;display:grid;grid-template-columns:1fr 1fr;gap:0 22px}
.scores tbody th{grid-column:1/-1;padding:0 0 2px;font-size:1.05rem}
.scores td{padding:7px 0}
td[data-label]::before{content:attr(data-label);display:block;font-size:.8rem;color:var(--muted)}
.forest tr{display:grid;grid-template-columns:2fr 1fr 1fr;gap:4px 12px;padding:12px 0 4px}
.forest th,.forest td.drawn,.forest .sides{grid-column:1/-1}
.forest td.drawn,.forest .sides{padding-inline:14px}
.forest .group{padding-bottom:0}.forest .axis{padding-top:0}
.forest .axis td:first-child,.forest .group td:last-child{display:none}
.forest .axis td{grid-column:1/-1}
.forest .number{text-align:start}
.forest .declared{margin-inline:-12px;padding-inline:12px}
.declared th:first-child,.declared td:last-child{box-shadow:none}
.second{display:inline}.against{padding-left:.4em}
.forest tbody tr{height:auto}
.classes,.classes thead,.classes tbody{display:block}
.classes tr{display:grid;grid-template-columns:1fr 4rem 3.6rem;align-items:baseline;padding-top:5px}
.classes tr>:nth-child(2){order:1;grid-column:1/-1}
.classes td.drawn{padding-inline:12px}
.classes thead th{border:0}
.legend .recipe{margin-right:14px}
.classes .axis td:first-child,.classes .axis td:last-child{display:none}
.mistakes th{font-size:.85rem;width:40%}.mistakes td:nth-child(3){width:5.6rem}
.mistakes td.drawn{padding-inline:10px}
.rows th{font-size:.9rem}
.facts{columns:1}
.card{flex-direction:row}.picture,.picture img{width:112px;height:112px;flex:none}
.picture{height:auto;align-items:start;padding-top:6px}.picture.none{align-items:center}
.several{grid-auto-flow:row}
.matrix-figure .scroll .matrix{min-width:340px}
.pages .matrix{min-width:640px}}
@media print{
html{font-size:11.5px}
body{max-width:none;padding:0;font-size:1rem;background:none}
.verdict{grid-template-columns:1fr auto;padding-top:0;gap:20px 32px}
.claim{font-size:4rem}.squares{width:120px}
nav,.catch{display:none}
figure,.card,tr,.lead,.forest tbody,.mistakes{break-inside:avoid}
section{padding-top:28px}
h2,h3,.lead{break-after:avoid}
.pages>figure,.pages figcaption{display:block}
.tabs>label,.tabs input{display:none}
details::details-content{content-visibility:visible;display:block}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
@media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
)css";

}  // namespace

std::string style_sheet() { return std::string(kPage) + kPlots + kSmallAndPaper; }

}  // namespace diptych::report
