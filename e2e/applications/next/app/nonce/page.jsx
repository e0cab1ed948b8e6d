import Link from "next/link";

import { OurMap } from "../our-map.jsx";

export default function Page() {
  return <main id="map"><OurMap /><Link href="/nonce/contact">Contact</Link></main>;
}
