var a=Object.defineProperty;var _=(t,o)=>a(t,"name",{value:o,configurable:!0});const m=374,c=[374],p={50374:((t,o,e)=>{e.d(o,{writeYaml:_(()=>s,"writeYaml")});var n=e(38815);const s=_(d=>d.map(i=>(0,n.As)(i,{version:"1.1",lineWidth:0})).join(`---
`),"writeYaml")})};export{m as id,c as ids,p as modules};
