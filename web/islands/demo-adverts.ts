/** A stand-in for an advertising tag: it does nothing but leave a mark that it ran. */

document.documentElement.setAttribute("data-demo-adverts", String(Date.now()));
document.dispatchEvent(new Event("demo:tag"));
