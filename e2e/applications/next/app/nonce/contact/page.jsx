import Link from "next/link";

export default function Contact() {
  return <main><h1>Contact</h1><Link href="/nonce">Back</Link></main>;
}
