/** Puts the review page together. */
import { render } from 'preact';
import { ReviewClient, takeToken } from './client.ts';
import { Review } from './review.ts';
import { ReviewApp } from './view/app.tsx';

const root = document.getElementById('page');
if (root) render(<ReviewApp review={new Review(new ReviewClient(takeToken()))} />, root);
