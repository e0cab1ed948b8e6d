import Link from "next/link";

import { OurMap } from "../our-map.jsx";

export default function Page() {
  return <main id="map"><OurMap /><Link href="/plain/contact">Contact</Link></main>;
}
