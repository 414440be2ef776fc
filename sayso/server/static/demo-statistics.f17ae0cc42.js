"use strict";(()=>{document.documentElement.setAttribute("data-demo-statistics",String(Date.now()));document.dispatchEvent(new Event("demo:tag"));})();
